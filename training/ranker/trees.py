"""Fitting a head of trees: the features alone, by LightGBM.

Which objective orders best and how large the trees are is chosen by NDCG@10 on validation targets.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import torch

from models.ranker.ranker import Ranker
from models.ranker.tree_head import TreeHead
from models.ranker.value import RATING
from training.examples import Example
from training.progress import Say
from training.ranker.labels import Labels
from training.settings import TrainSettings

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
OF_OUTCOMES = {"num_leaves": 7, "min_data_in_leaf": 20}
# Contributions cost leaves times depth squared.
FIXED = {"learning_rate": 0.05, "max_depth": 5, "min_data_in_leaf": 100, "feature_fraction": 0.7}
ROUNDS, PATIENCE = 500, 40
LEAVES = (7, 15)
# Candidates to learn from: with 28 features about 350 MiB, and a quarter of that in LightGBM.
ROWS = 3_000_000
LEAST_DRAWN = 20
FEWEST = 20
# Of the users with judgements, one in so many says when to stop.
HELD_USERS = 10


def fit_trees(
    ranker: Ranker,
    learn: Sequence[Example],
    validate: Sequence[Example],
    judge: Sequence[Example],
    labels: Labels,
    settings: TrainSettings,
    say: Say,
) -> None:
    """Fit an ensemble for each outcome: for the first by the order of each target's candidates, for
    the others by binary cross-entropy of judgements, or squared error of ratings.

    learn: targets that are among their candidates. Where these are more than ROWS in all, those
    beside the target are a sample. An outcome of which too little is known stays without trees.
    """
    head = ranker.head
    assert isinstance(head, TreeHead)
    random = np.random.default_rng(settings.seed)
    fixed = FIXED | {
        "seed": settings.seed,
        "num_threads": torch.get_num_threads(),
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    # Without validation targets, rounds are stopped only by what no longer helps at all.
    held = [example for example in validate if example.found_at >= 0] or learn
    train = _lists(ranker, learn, max(LEAST_DRAWN, ROWS // len(learn)), random)
    check = _lists(ranker, held, None, random, train)
    best, chosen = -1.0, ""
    for (name, objective), leaves in product(OBJECTIVES.items(), LEAVES):
        tried = {**fixed, "objective": objective, "num_leaves": leaves}
        booster = _grow({**tried, "metric": "ndcg", "eval_at": [10]}, train, check)
        reached, rounds = float(booster.best_score["valid_0"]["ndcg@10"]), booster.best_iteration
        say(f"trees, {name}, {leaves} leaves: {rounds} rounds, NDCG@10 where found {reached:.4f}")
        if reached > best:
            best, chosen = reached, booster.model_to_string(num_iteration=rounds)
    # The level that the loop has set: one of the candidates is taken.
    head.plant(0, chosen, level=float(head.bias[0]))
    for outcome, name in enumerate(ranker.config.outcomes[1:], start=1):
        grown = _outcome(ranker, judge, labels, outcome, {**fixed, **OF_OUTCOMES})
        if grown is not None:
            head.plant(outcome, grown.model_to_string(num_iteration=grown.best_iteration))
            say(f"trees, {name}: {grown.best_iteration} rounds")


def softmax(scores: Float64, lists: lightgbm.Dataset) -> tuple[Float64, Float64]:
    """Return first and second derivatives, [n] each, of the additive head's loss: the cross-entropy
    of each target among its candidates.
    """
    sizes = np.asarray(lists.get_group())
    starts = np.cumsum(sizes) - sizes
    chances = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
    chances /= np.repeat(np.add.reduceat(chances, starts), sizes)
    return chances - np.asarray(lists.get_label()), chances * (1.0 - chances)


# LambdaMART: Burges, "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82.
OBJECTIVES = {"softmax": softmax, "LambdaMART": "lambdarank"}


def _outcome(
    ranker: Ranker,
    judge: Sequence[Example],
    labels: Labels,
    outcome: int,
    fixed: dict[str, Any],
) -> lightgbm.Booster | None:
    """Return the ensemble of an outcome after the first, None if too few judgements tell of it."""
    told = [(example, float(labels.of(example)[outcome - 1])) for example in judge]
    told = [(example, label) for example, label in told if np.isfinite(label)]
    held = [pair for pair in told if pair[0].target.user % HELD_USERS == 0]
    rest = [pair for pair in told if pair[0].target.user % HELD_USERS != 0]
    rates = ranker.config.outcomes[outcome] == RATING
    positive = sum(label > 0 for _, label in rest)
    if not held or min(positive, len(rest) - positive) < FEWEST:
        return None
    train = _rows(ranker, rest)
    objective = "regression" if rates else "binary"
    return _grow({**fixed, "objective": objective}, train, _rows(ranker, held, train))


def _grow(
    parameters: dict[str, Any], train: lightgbm.Dataset, check: lightgbm.Dataset
) -> lightgbm.Booster:
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    return lightgbm.train(parameters, train, ROUNDS, valid_sets=[check], callbacks=[stop])


def _lists(
    ranker: Ranker,
    examples: Sequence[Example],
    most: int | None,
    random: np.random.Generator,
    reference: lightgbm.Dataset | None = None,
) -> lightgbm.Dataset:
    """Return each target with its other candidates, at most `most` for each.

    Their order is random: candidates come best first, and where trees find several equal, NDCG
    would be that of the order in which they came.
    """
    sizes = [min(len(example.rows), most or len(example.rows)) for example in examples]
    features = np.empty((sum(sizes), len(ranker.config.features)), np.float32)
    taken = np.zeros(len(features), np.float32)
    end = 0
    for example, size in zip(examples, sizes, strict=True):
        others = random.choice(len(example.rows) - 1, size - 1, replace=False)
        others += others >= example.found_at
        places = random.permutation(np.append(others, example.found_at))
        start, end = end, end + size
        features[start:end] = _standardised(ranker, example.features[places])
        taken[start:end] = places == example.found_at
    return _dataset(features, taken, reference, sizes)


def _rows(
    ranker: Ranker,
    told: Sequence[tuple[Example, float]],
    reference: lightgbm.Dataset | None = None,
) -> lightgbm.Dataset:
    features = np.concatenate([_standardised(ranker, example.features) for example, _ in told])
    return _dataset(features, np.array([label for _, label in told], np.float32), reference)


def _dataset(
    features: Float32,
    labels: Float32,
    reference: lightgbm.Dataset | None,
    sizes: list[int] | None = None,
) -> lightgbm.Dataset:
    parameters = {"verbose": -1, "feature_pre_filter": False}
    return lightgbm.Dataset(
        features, labels, reference=reference, group=sizes, params=parameters
    ).construct()


def _standardised(ranker: Ranker, features: npt.NDArray[np.float16]) -> Float32:
    return ranker.standardised(torch.from_numpy(features.astype(np.float32))).numpy()
