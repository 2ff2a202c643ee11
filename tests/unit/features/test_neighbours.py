"""What wanted items alone have of neighbours is what all of them have."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.neighbours import Neighbours, read_neighbours

ITEMS = 30


def made_up(seed: int) -> tuple[Neighbours, np.ndarray, np.ndarray]:
    """Return neighbours, some missing, and rows and weights of events, some unknown or disliked."""
    random = np.random.default_rng(seed)
    rows = random.integers(-1, ITEMS, (ITEMS, 5)).astype(np.int32)
    scores = np.where(rows >= 0, random.normal(size=rows.shape), 0.0).astype(np.float32)
    events = random.integers(0, 12)
    past = random.integers(-1, ITEMS, events).astype(np.int32)
    return Neighbours(rows, scores), past, random.normal(size=events).astype(np.float32)


@given(st.integers(0, 10_000))
def test_wanted_items_score_as_they_do_among_all(seed: int) -> None:
    neighbours, rows, weights = made_up(seed)
    wanted = np.random.default_rng(seed + 1).integers(-1, ITEMS, 20)
    all_at_once = np.append(neighbours.scores_of_all(rows, weights), 0.0)

    from_all, from_last = neighbours.scores_of(rows, weights, wanted)

    np.testing.assert_array_equal(from_all, all_at_once[wanted].astype(np.float32))
    last = rows[(weights > 0) & (rows >= 0)][-1:]
    of_last = np.append(neighbours.scores_of_all(last, np.ones(len(last), np.float32)), 0.0)
    np.testing.assert_allclose(from_last, of_last[wanted], rtol=1e-6)


def test_without_events_nothing_is_near() -> None:
    neighbours, _, _ = made_up(1)
    nobody = np.zeros(0, np.int32)

    from_all, from_last = neighbours.scores_of(
        nobody, np.zeros(0, np.float32), np.array([0, -1, 3])
    )

    assert from_all.tolist() == from_last.tolist() == [0.0, 0.0, 0.0]


def test_neighbours_are_mapped_as_they_were_saved(tmp_path: Path) -> None:
    neighbours, _, _ = made_up(3)
    neighbours.save(tmp_path)

    found = read_neighbours(tmp_path)

    np.testing.assert_array_equal(found.rows, neighbours.rows)
    np.testing.assert_array_equal(found.scores, neighbours.scores)
    with pytest.raises(ValueError, match="read-only"):
        found.scores[0, 0] = 1.0
