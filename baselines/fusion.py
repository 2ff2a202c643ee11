"""Plain fusion: gradient-boosted trees over the scores of the other systems.

Trees: LambdaMART, Burges, "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82, by LightGBM.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import lightgbm
import numpy as np

from baselines import ease, ials, itemknn, lightfm_warp, popular, sasrec
from baselines.ranking import Scorer, batches, best
from baselines.trees import SHARED
from baselines.trial import Events, Float32, Int32, Int64, NotApplicable, Requests, Trial
from baselines.validation import VALIDATION_USERS, Settings, targets_of

DEPTH = 200
WINDOW = 5
LEARNED_REQUESTS = 6_000
NEGATIVES = 200
ROUNDS, PATIENCE = 500, 50
GRID: list[Settings] = [
    {"num_leaves": leaves, "min_data_in_leaf": least, "learning_rate": 0.05}
    for leaves, least in ((15, 100), (7, 100), (31, 200))
]
FIXED = {
    **SHARED,
    "objective": "lambdarank",
    "lambdarank_truncation_level": 30,
    "feature_fraction": 0.7,
}


def bases(trial: Trial) -> dict[str, ModuleType]:
    """Return the systems that are fused; item-kNN stands in where EASE cannot be had."""
    systems = {"popular": popular, "ials": ials, "lightfm": lightfm_warp, "sasrec": sasrec}
    if ease.possible(trial.known):
        return {**systems, "ease": ease}
    return {**systems, "itemknn": itemknn}


@dataclass(frozen=True)
class Lists:
    """Candidates of requests with what the trees read of them, request after request.

    item: int32 [n]. features: float32 [n, F]. sizes: int64 [R], candidates per request.
    """

    item: Int32
    features: Float32
    sizes: Int64


def run(
    trial: Trial, seed: int, budget: int | None, reused: dict[str, Settings]
) -> tuple[Scorer, Settings, list[Settings]]:
    """Fuse in two levels; return the fused scorer, its settings and what was tried.

    The systems are fitted on what precedes each user's newest WINDOW targets, the trees learn from
    those targets and stop early by the newest of them; then the systems are fitted on everything.
    `reused` names settings that need not be chosen again.
    """
    chosen, tried = _choose_bases(trial, seed, budget, reused)
    learned, stopping, before = _window(trial, seed)
    scorers = _fit_bases(before, trial, chosen, seed, "what precedes the window")
    rng = np.random.default_rng(seed)
    train = _learning_set(scorers, trial, before, learned, rng, NEGATIVES)
    check = _learning_set(scorers, trial, before, stopping, rng, None)
    print(f"  trees: {len(train[1])} rows to learn from, {len(check[1])} to stop by", flush=True)
    best_quality, trees = -1.0, GRID[0]
    for settings in GRID[:budget]:
        booster = lightgbm.train(
            {**FIXED, **settings, "seed": seed, "metric": "ndcg", "eval_at": [10]},
            _dataset(*train),
            ROUNDS,
            valid_sets=[_dataset(*check)],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        quality = booster.best_score["valid_0"]["ndcg@10"]
        rounds = max(booster.best_iteration, 1)
        tried.append({"system": "trees", "settings": {**settings, "rounds": rounds}})
        tried[-1]["ndcg@10 of requests whose target is a candidate"] = quality
        print(f"  {tried[-1]}", flush=True)
        if quality > best_quality:
            best_quality, trees = quality, {**settings, "rounds": rounds}
    check = _learning_set(scorers, trial, before, stopping, rng, NEGATIVES)
    rows = (
        np.concatenate([train[0], check[0]]),
        np.concatenate([train[1], check[1]]),
        np.concatenate([train[2], check[2]]),
    )
    settings = {name: value for name, value in trees.items() if name != "rounds"}
    booster = lightgbm.train({**FIXED, **settings, "seed": seed}, _dataset(*rows), trees["rounds"])
    scorers = _fit_bases(trial.known, trial, chosen, seed, "all that is known")

    def score(requests: Requests) -> Float32:
        lists = _candidates(scorers, trial, trial.known, requests)
        values = booster.predict(lists.features, num_threads=2).astype(np.float32)
        least = values.min(initial=0.0) - 1.0
        rest = trial.known.popularity(trial.items)
        scores = np.repeat((least - 1.0 + rest / (rest.max() + 1.0))[None], len(requests), axis=0)
        scores[np.repeat(np.arange(len(requests)), lists.sizes), lists.item] = values
        return scores

    return score, {**chosen, "trees": trees}, tried


def _choose_bases(
    trial: Trial, seed: int, budget: int | None, reused: dict[str, Settings]
) -> tuple[Settings, list[Settings]]:
    chosen: Settings = {}
    tried: list[Settings] = []
    for name, system in bases(trial).items():
        if name in reused:
            chosen[name] = reused[name]
            continue
        print(f"  choosing {name}", flush=True)
        chosen[name], rows = system.choose(trial, seed, budget)
        tried += [{"system": name, **row} for row in rows]
    return chosen, tried


def _window(trial: Trial, seed: int) -> tuple[Int64, Int64, Events]:
    """Return places of the targets to learn from and to stop by, and the events before them."""
    known = trial.known
    places = targets_of(known, trial.users, trial.repeat)
    user = known.user[places]
    counts = np.bincount(user, minlength=trial.users)
    ends = np.cumsum(counts)
    from_end = ends[user] - 1 - np.arange(len(places))
    inside = from_end < np.minimum(WINDOW, counts // 2)[user]
    newest = places[inside & (from_end == 0)]
    older = places[inside & (from_end > 0)]
    first = np.full(trial.users, len(known))
    np.minimum.at(first, user[inside], places[inside])
    before = known.where(np.arange(len(known)) < first[known.user])
    rng = np.random.default_rng(seed)
    if len(newest) > VALIDATION_USERS:
        stopping = np.sort(rng.choice(newest, VALIDATION_USERS, replace=False))
        older = np.union1d(older, np.setdiff1d(newest, stopping))
        newest = stopping
    if len(older) > LEARNED_REQUESTS:
        older = np.sort(rng.choice(older, LEARNED_REQUESTS, replace=False))
    if not len(older):
        raise NotApplicable("the fusion learns from each user's newest events; there are too few")
    return older, newest, before


def _fit_bases(
    events: Events, trial: Trial, chosen: Settings, seed: int, what: str
) -> dict[str, Scorer]:
    scorers = {}
    for name, system in bases(trial).items():
        print(f"  fitting {name} on {what}", flush=True)
        scorers[name] = system.fit(events, trial, chosen[name], seed)
    return scorers


def _candidates(
    scorers: dict[str, Scorer], trial: Trial, events: Events, requests: Requests
) -> Lists:
    """Return the union of the systems' best DEPTH for each request, with features."""
    popularity = events.popularity(trial.items)
    share = np.log((popularity + 1.0) / (len(events) + trial.items))
    week = popular.fit_week(events, trial, {}, 0)
    items: list[Int32] = []
    features: list[Float32] = []
    for low, high in batches(requests, trial.items):
        part = requests.part(low, high)
        scores = {name: scorer(part) for name, scorer in scorers.items()}
        recent = week(part)
        for row in range(len(part)):
            history = part.history(row)
            allowed = np.ones(trial.items, dtype=bool)
            if not trial.repeat:
                allowed[history] = False
            tops = [best(of_items[row], allowed, DEPTH) for of_items in scores.values()]
            union = np.unique(np.concatenate(tops))
            columns = [share[union], np.log1p(recent[row, union])]
            columns.append(np.full(len(union), np.log1p(len(history))))
            fused = np.zeros(len(union))
            for name, of_items in scores.items():
                values = of_items[row, union]
                pool = np.sort(of_items[row, allowed])
                ranks = len(pool) - np.searchsorted(pool, values, side="right")
                deviation = values.std()
                columns.append((values - values.mean()) / (deviation if deviation > 0 else 1.0))
                columns.append(np.log1p(ranks))
                if name != "popular":  # counts grow with the events; their share is above
                    columns.append(values)
                fused += 1.0 / (60.0 + ranks)
            columns.append(fused)
            if trial.repeat:
                columns.append(np.bincount(history, minlength=trial.items)[union])
            items.append(union.astype(np.int32))
            features.append(np.stack(columns, axis=1).astype(np.float32))
    sizes = np.array([len(union) for union in items], dtype=np.int64)
    return Lists(np.concatenate(items), np.concatenate(features), sizes)


def _learning_set(
    scorers: dict[str, Scorer],
    trial: Trial,
    events: Events,
    places: Int64,
    rng: np.random.Generator,
    negatives: int | None,
) -> tuple[Float32, Int32, Int64]:
    """Return features, labels and sizes of the requests whose target is among the candidates.

    negatives: how many of the other candidates are drawn for each, None for all.
    """
    features: list[Float32] = [np.empty((0, 0), dtype=np.float32)]
    labels: list[Int32] = []
    for first in range(0, len(places), 256):
        part = places[first : first + 256]
        requests = Requests.before(trial.known, part, trial.users)
        lists = _candidates(scorers, trial, events, requests)
        bounds = np.concatenate([[0], np.cumsum(lists.sizes)])
        for row, target in enumerate(trial.known.item[part]):
            inside = np.arange(bounds[row], bounds[row + 1])
            label = (lists.item[inside] == target).astype(np.int32)
            if not label.any():
                continue
            if negatives is not None and len(inside) > negatives:
                drawn = rng.choice(np.flatnonzero(label == 0), negatives, replace=False)
                kept = np.sort(np.append(drawn, np.argmax(label)))
                inside, label = inside[kept], label[kept]
            features.append(lists.features[inside])
            labels.append(label)
    if not labels:
        raise NotApplicable("no target of the window is among the systems' candidates")
    sizes = np.array([len(label) for label in labels], dtype=np.int64)
    return np.concatenate(features[1:]), np.concatenate(labels), sizes


def _dataset(features: Float32, labels: Int32, sizes: Int64) -> Any:
    return lightgbm.Dataset(features, labels, group=sizes, params={"verbose": -1})
