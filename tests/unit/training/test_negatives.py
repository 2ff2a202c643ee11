from types import SimpleNamespace
from typing import cast

import numpy as np

from training.examples import Example
from training.ranker.packing import with_negatives

CANDIDATES = 50


def example(found_at: int) -> Example:
    return cast(Example, SimpleNamespace(rows=np.arange(CANDIDATES), found_at=found_at))


def test_the_target_comes_first_and_is_never_its_own_negative() -> None:
    hardness = np.zeros(CANDIDATES, np.float32)
    drawn = with_negatives(example(7), hardness, 200, np.random.default_rng(0))
    assert drawn.places[0] == 7
    assert drawn.raised[0] == 0.0
    assert 7 not in drawn.places[1:]


def test_hard_candidates_are_drawn_more_often() -> None:
    hardness = np.zeros(CANDIDATES, np.float32)
    hardness[3] = 5.0
    drawn = with_negatives(example(7), hardness, 1_000, np.random.default_rng(0))
    assert (drawn.places == 3).mean() > 5 * (drawn.places == 4).mean()


def test_drawn_negatives_stand_for_all() -> None:
    random = np.random.default_rng(1)
    hardness = random.normal(size=CANDIDATES).astype(np.float32)
    weights = np.exp(random.normal(size=CANDIDATES))
    exact = weights.sum() - weights[7]
    estimates = []
    for _ in range(400):
        drawn = with_negatives(example(7), hardness, 31, random)
        estimates.append((weights[drawn.places[1:]] * np.exp(drawn.raised[1:])).sum())
    assert abs(np.mean(estimates) / exact - 1) < 0.05
