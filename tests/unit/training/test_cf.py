import numpy as np

from features.events import EventArrays
from tandem.v1.event_pb2 import Action
from training.cf import fit_neighbours
from training.interactions import Interactions
from training.settings import TrainSettings

ITEMS, USERS, EACH = 12, 40, 5


def interactions() -> Interactions:
    """People take items of one half of the catalogue."""
    random = np.random.default_rng(0)
    rows = np.concatenate(
        [random.permutation(ITEMS // 2)[:EACH] + (user % 2) * ITEMS // 2 for user in range(USERS)]
    )
    events = EventArrays(
        rows=rows.astype(np.int32),
        actions=np.full(len(rows), Action.ACTION_VIEW, np.int32),
        times_ms=np.arange(len(rows), dtype=np.int64),
        ratings=np.full(len(rows), np.nan, np.float32),
        offsets_min=np.zeros(len(rows), np.int32),
        latitudes=np.full(len(rows), np.nan, np.float32),
        longitudes=np.full(len(rows), np.nan, np.float32),
    )
    return Interactions(events, np.arange(0, len(rows) + 1, EACH), ITEMS, np.arange(len(rows)))


def test_ease_keeps_the_greatest_weights_of_its_closed_form() -> None:
    known = interactions()
    matrix = np.minimum(known.matrix().toarray(), 1.0)
    inverse = np.linalg.inv(matrix.T @ matrix + 20.0 * np.eye(ITEMS))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    found = fit_neighbours(known, TrainSettings(neighbours=3, ease_regularization=20.0))
    for item in range(ITEMS):
        expected = np.sort(weights[item])[::-1][:3]
        np.testing.assert_allclose(found.scores[item], np.maximum(expected, 0), atol=1e-5)
        for row, score in zip(found.rows[item], found.scores[item], strict=True):
            assert (row == -1) == (score == 0)
            assert score == 0 or abs(weights[item, row] - score) < 1e-5


def test_neighbours_are_of_one_taste_by_ease_and_by_cosine() -> None:
    for most in (ITEMS, ITEMS - 1):
        found = fit_neighbours(interactions(), TrainSettings(neighbours=4, ease_items=most))
        for item in range(ITEMS):
            rows = found.rows[item][found.scores[item] > 0]
            assert len(rows) > 0
            assert item not in rows
            assert ((rows < ITEMS // 2) == (item < ITEMS // 2)).all()
