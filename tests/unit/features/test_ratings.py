import numpy as np
import pytest

from features.events import EventArrays
from features.ratings import ItemRatings, rated_past
from tandem.v1.event_pb2 import Action
from training.interactions import Interactions
from training.ratings import fit_ratings, quality_without


def events(rows: list[int], ratings: list[float]) -> EventArrays:
    count = len(rows)
    return EventArrays(
        rows=np.array(rows, np.int32),
        actions=np.full(count, Action.ACTION_RATE, np.int32),
        times_ms=np.arange(count, dtype=np.int64),
        ratings=np.array(ratings, np.float32),
        offsets_min=np.zeros(count, np.int32),
        latitudes=np.full(count, np.nan, np.float32),
        longitudes=np.full(count, np.nan, np.float32),
    )


def test_few_ratings_move_an_items_quality_little() -> None:
    rows, ratings = [0] * 50 + [1], [5.0] * 50 + [5.0]
    rows, ratings = rows + [2] * 51, ratings + [1.0] * 51
    found = fit_ratings(Interactions(events(rows, ratings), np.array([0, 102]), 4, np.arange(102)))
    assert found.mean == pytest.approx(3.0)
    assert found.quality[0] > 0.85
    assert 0 < found.quality[1] < 0.2
    assert found.quality[3] == 0.0


def test_quality_without_a_rating_is_what_it_was_before_it() -> None:
    def quality(rows: list[int], ratings: list[float]) -> ItemRatings:
        one = events(rows, ratings)
        return fit_ratings(Interactions(one, np.array([0, len(rows)]), 2, np.arange(len(rows))))

    whole = quality([0, 0, 1, 1], [4.0, 2.0, 5.0, 1.0])
    above = (4.0 - whole.mean) / whole.scale
    assert quality_without(whole, 0, 2.0) == pytest.approx(above / 6.0, abs=1e-6)


def test_what_is_alike_is_expected_to_be_rated_alike() -> None:
    factors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    table = ItemRatings(3.0, 1.0, np.zeros(4, np.float32), np.ones(4, np.float32))
    past = rated_past(table, factors, events([0, 2], [5.0, 1.0]), np.zeros((2, 3), np.float32))
    expected = past.of_alike(past.factors, factors)
    assert expected[1] > 0.5
    assert expected[3] < -0.5


def test_nothing_rated_says_nothing() -> None:
    table = ItemRatings(3.0, 1.0, np.ones(2, np.float32), np.ones(2, np.float32))
    factors = np.eye(2, dtype=np.float32)
    past = rated_past(table, factors, events([0], [np.nan]), np.zeros((1, 3), np.float32))
    assert past.mood == 0.0
    assert past.of_alike(past.factors, factors).tolist() == [0.0, 0.0]
