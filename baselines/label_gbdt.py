"""Like or dislike by gradient-boosted trees over label statistics, popularity and CF scores.

It scores labelled rows only and ranks nothing. Trees: Ke et al., "LightGBM", NeurIPS 2017.
"""

from typing import Any

import lightgbm
import numpy as np
from scipy import sparse, stats

from baselines import ease, ials, itemknn
from baselines.trees import SHARED
from baselines.trial import (
    Bool,
    Events,
    Float32,
    Int32,
    Int64,
    Labelled,
    NotApplicable,
    Requests,
    Trial,
)
from baselines.validation import Settings

FOLDS = 5
BLOCKS = 6
SMOOTHING = 5.0
NEIGHBOURS = 100
VALIDATION_SHARE = 0.1
ROUNDS, PATIENCE = 1_000, 50
SYSTEMS: dict[str, Settings] = {
    "ials": {"factors": 64, "regularization": 10.0, "alpha": 4.0, "iterations": 15},
    "ease": {"l2": 200.0},
}
GRID: list[Settings] = [
    {"statistics": statistics, "num_leaves": leaves}
    for statistics in ("folds", "time")
    for leaves in (7, 15, 31)
]
FIXED = {
    **SHARED,
    "objective": "binary",
    "learning_rate": 0.03,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.8,
}


def run(
    trial: Trial, seed: int, budget: int | None, reused: dict[str, Settings]
) -> tuple[Float32, Settings, list[dict[str, Any]]]:
    """Return a probability for each row to be scored, the settings and what was tried.

    reused: settings of iALS and EASE; those of SYSTEMS where it has none.

    Every row that the trees learn from is described by statistics without it: of the other folds,
    or of the time before its block. Which of the two, and the trees, are chosen by AUC on the
    newest VALIDATION_SHARE of the labelled rows (drawn, where all have one time).

    Raises NotApplicable without labelled rows of both kinds.
    """
    rows = trial.labelled
    if not len(trial.score_user) or len(np.unique(rows.label > 0)) < 2:
        raise NotApplicable("label_gbdt needs likes and dislikes to learn from and rows to score")
    chosen = {name: reused.get(name, settings) for name, settings in SYSTEMS.items()}
    rng = np.random.default_rng(seed)
    timed = rows.time_ms.min() < rows.time_ms.max()
    order = np.argsort(rows.time_ms, kind="stable") if timed else rng.permutation(len(rows))
    held = np.zeros(len(rows), dtype=bool)
    held[order[len(rows) - max(1, int(VALIDATION_SHARE * len(rows))) :]] = True
    learned, events = _part(rows, ~held), _without(trial.known, rows, held, trial.items)
    check = _features(learned, events, trial, chosen, rows.user[held], rows.item[held])
    grid = [row for row in GRID if timed or row["statistics"] == "folds"][:budget]
    tables: dict[str, tuple[Float32, Float32]] = {}
    tried: list[dict[str, Any]] = []
    for settings in grid:
        kind = settings["statistics"]
        if kind not in tables:
            tables[kind] = _table(learned, events, trial, chosen, kind, rng)
            print(f"  {kind}: {len(tables[kind][1])} rows to learn from", flush=True)
        booster = lightgbm.train(
            {**FIXED, "num_leaves": settings["num_leaves"], "seed": seed, "metric": "auc"},
            lightgbm.Dataset(*tables[kind]),
            ROUNDS,
            valid_sets=[lightgbm.Dataset(check, rows.label[held] > 0)],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        rounds = max(booster.best_iteration, 1)
        auc = area(booster.predict(check), rows.label[held] > 0)
        tried.append({"settings": {**settings, "rounds": rounds}, "auc": auc})
        print(f"  {tried[-1]}", flush=True)
    trees = max(tried, key=lambda row: row["auc"])["settings"]
    table = _table(rows, trial.known, trial, chosen, trees["statistics"], rng)
    parameters = {**FIXED, "num_leaves": trees["num_leaves"], "seed": seed}
    booster = lightgbm.train(parameters, lightgbm.Dataset(*table), trees["rounds"])
    scored = _features(rows, trial.known, trial, chosen, trial.score_user, trial.score_item)
    return booster.predict(scored).astype(np.float32), {**chosen, "trees": trees}, tried


def area(scores: Float32, liked: Bool) -> float:
    """Return the area under the ROC curve; ties count half, 0.5 where there is one class only."""
    positive = int(liked.sum())
    if positive in (0, len(liked)):
        return 0.5
    ranks = stats.rankdata(scores)[liked].sum() - positive * (positive + 1) / 2
    return float(ranks / (positive * (len(liked) - positive)))


def _table(
    rows: Labelled,
    events: Events,
    trial: Trial,
    chosen: dict[str, Settings],
    kind: str,
    rng: np.random.Generator,
) -> tuple[Float32, Float32]:
    """Return features and labels of rows, each described without itself."""
    features: list[Float32] = []
    labels: list[Float32] = []
    if kind == "folds":
        fold = rng.permutation(len(rows)) % FOLDS
        parts = [(fold != number, fold == number) for number in range(FOLDS)]
    else:
        cuts = np.quantile(rows.time_ms, np.arange(1, BLOCKS) / BLOCKS, method="lower")
        block = np.searchsorted(cuts, rows.time_ms, side="right")
        parts = [(block < number, block == number) for number in range(1, BLOCKS)]
    for past, described in parts:
        if not past.any() or not described.any():
            continue
        if kind == "folds":
            seen = _without(events, rows, described, trial.items)
        else:
            seen = events.where(events.time_ms < rows.time_ms[described].min())
        user, item = rows.user[described], rows.item[described]
        features.append(_features(_part(rows, past), seen, trial, chosen, user, item))
        labels.append((rows.label[described] > 0).astype(np.float32))
    return np.concatenate(features), np.concatenate(labels)


def _part(rows: Labelled, keep: Bool) -> Labelled:
    return Labelled(rows.user[keep], rows.item[keep], rows.time_ms[keep], rows.label[keep])


def _without(events: Events, rows: Labelled, left_out: Bool, items: int) -> Events:
    """Return the events without those of a user with an item that a left-out row is about."""
    pairs = rows.user[left_out].astype(np.int64) * items + rows.item[left_out]
    return events.where(~np.isin(events.user.astype(np.int64) * items + events.item, pairs))


def _features(
    past: Labelled,
    events: Events,
    trial: Trial,
    chosen: dict[str, Settings],
    user: Int32,
    item: Int32,
) -> Float32:
    """Describe user-item rows by past labels and past positive events, float32 [rows, F]."""
    liked = (past.label > 0).astype(np.float32)
    mean = liked.mean()
    item_mean, item_count = _smoothed(past.item, liked, trial.items, mean)
    user_mean, user_count = _smoothed(past.user, liked, trial.users, mean)
    residual = liked - item_mean[past.item]
    user_taste, _ = _smoothed(past.user, residual, trial.users, 0.0)
    residual -= user_taste[past.user]
    popularity = events.popularity(trial.items)
    columns = [
        user_mean[user],
        np.log1p(user_count[user]),
        item_mean[item],
        np.log1p(item_count[item]),
        user_taste[user],
        user_taste[user] + item_mean[item],
        np.log1p(popularity[item]),
        np.log1p(np.bincount(events.user, minlength=trial.users)[user]),
        *_neighbours(past, residual, trial, user, item),
    ]
    scorers = []
    if len(events):
        scorers.append(ials.fit(events, trial, chosen["ials"], 0))
        if ease.possible(trial.known):
            scorers.append(ease.fit(events, trial, chosen["ease"], 0))
    columns += [_scores(scorer, events, trial, user, item) for scorer in scorers]
    columns += [np.full(len(user), np.nan)] * (2 - len(scorers))
    return np.stack(columns, axis=1).astype(np.float32)


def _smoothed(group: Int32, values: Float32, groups: int, prior: float) -> tuple[Float32, Float32]:
    """Return each group's mean, drawn towards the prior, and its count."""
    count = np.bincount(group, minlength=groups).astype(np.float32)
    total = np.bincount(group, weights=values, minlength=groups)
    return ((total + SMOOTHING * prior) / (count + SMOOTHING)).astype(np.float32), count


def _neighbours(
    past: Labelled, residual: Float32, trial: Trial, user: Int32, item: Int32
) -> tuple[Float32, Float32]:
    """Return how the user judged the items nearest to each row's item, and how near those are."""
    shape = (trial.users, trial.items)
    met = sparse.csr_matrix((np.ones(len(past), np.float32), (past.user, past.item)), shape=shape)
    met.data[:] = 1.0
    judged = sparse.csr_matrix((residual, (past.user, past.item)), shape=shape)
    similar = itemknn.similarities(met, NEIGHBOURS)
    total = np.zeros(len(user), dtype=np.float32)
    weight = np.zeros(len(user), dtype=np.float32)
    for low in range(0, len(user), 4096):
        rows = slice(low, low + 4096)
        near = similar[item[rows]]
        total[rows] = np.asarray(near.multiply(judged[user[rows]]).sum(axis=1)).ravel()
        weight[rows] = np.asarray(near.multiply(met[user[rows]]).sum(axis=1)).ravel()
    return total / (weight + 1.0), weight


def _scores(scorer: Any, events: Events, trial: Trial, user: Int32, item: Int32) -> Float32:
    """Return a system's score of each row's item, from all events of its user."""
    users, row = np.unique(user, return_inverse=True)
    bounds: Int64 = events.starts(trial.users)
    requests = Requests.within(
        events, bounds[users], bounds[users + 1], users, np.zeros(len(users), dtype=np.int64)
    )
    scores = np.zeros(len(user), dtype=np.float32)
    for first in range(0, len(users), 256):
        last = min(first + 256, len(users))
        inside = (row >= first) & (row < last)
        of_items = scorer(requests.part(first, last))
        scores[inside] = of_items[row[inside] - first, item[inside]]
    return scores
