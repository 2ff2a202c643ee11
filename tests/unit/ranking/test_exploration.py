"""New items get the places that are for them: those most that seem good, and none for ever."""

from collections import Counter

import numpy as np
import pytest

from ranking_service.exploration import explore
from ranking_service.selector.select import Slate
from tandem.v1.ranking_service_pb2 import Exploration, ItemTrial, RankRequest

ITEMS = [f"i{n}" for n in range(20)]
VALUES = np.linspace(1.0, 0.05, 20).astype(np.float32)
SLATE = Slate(np.arange(10), np.zeros(10, np.int64))


def request(second: int, *trials: ItemTrial, positions: tuple[int, ...] = (8,)) -> RankRequest:
    asked = RankRequest(exploration=Exploration(positions=positions, trials=trials))
    asked.user.user_id = "anna"
    asked.context.request_time.FromSeconds(second)
    return asked


def trial(item_id: str, shown: int = 0, taken: int = 0) -> ItemTrial:
    return ItemTrial(item_id=item_id, shown_count=shown, taken_count=taken)


def drawn(*trials: ItemTrial, chances: np.ndarray = VALUES) -> tuple[Counter[str], list[float]]:
    """Return which item was drawn how often in many requests, and the propensities told."""
    counts: Counter[str] = Counter()
    told = []
    for second in range(400):
        slate, explored = explore(SLATE, request(second, *trials), ITEMS, VALUES, chances)
        ((place, propensity),) = explored.items()
        assert slate.places.tolist().index(place) == 7
        counts[ITEMS[place]] += 1
        told.append(propensity)
    return counts, told


def test_a_new_item_takes_its_place_and_the_others_move_down() -> None:
    slate, explored = explore(SLATE, request(1, trial("i15")), ITEMS, VALUES, VALUES)
    assert slate.places.tolist() == [0, 1, 2, 3, 4, 5, 6, 15, 7, 8]
    assert slate.shifts.tolist() == [0] * 7 + [8, -1, -1]
    assert explored == {15: 1.0}


def test_without_places_or_new_items_nothing_changes() -> None:
    for asked in (RankRequest(), request(1), request(1, trial("i3")), request(1, trial("gone"))):
        slate, explored = explore(SLATE, asked, ITEMS, VALUES, VALUES)
        assert slate.places.tolist() == SLATE.places.tolist()
        assert not explored


def test_what_the_model_thinks_more_of_is_tried_more_and_the_other_too() -> None:
    chances = np.full(20, 0.15, np.float32)
    chances[15] = 0.4
    counts, told = drawn(trial("i15"), trial("i16"), chances=chances)
    assert counts["i15"] > 3 * counts["i16"] > 0
    # The probability that is told is that with which it happens.
    expected = counts["i15"] ** 2 / 400 + counts["i16"] ** 2 / 400
    assert sum(told) == pytest.approx(expected, rel=0.1)


def test_what_was_taken_is_tried_on_and_what_failed_is_left() -> None:
    chances = np.full(20, 0.2, np.float32)
    counts, _ = drawn(trial("i15", 40, 20), trial("i16", 40, 0), trial("i17"), chances=chances)
    assert counts["i15"] > 300
    assert counts["i16"] < 4


def test_each_place_gets_another_item_and_places_beyond_the_slate_none() -> None:
    asked = request(1, trial("i15"), trial("i16"), positions=(6, 9, 40))
    slate, explored = explore(SLATE, asked, ITEMS, VALUES, VALUES)
    assert sorted(explored) == [15, 16]
    assert {slate.places[5], slate.places[8]} == {15, 16}
    assert len(slate.places) == 10


def test_the_same_request_explores_alike() -> None:
    trials = [trial(f"i{n}") for n in range(11, 19)]
    first, second = (
        explore(SLATE, request(5, *trials), ITEMS, VALUES, np.full(20, 0.2, np.float32))
        for _ in range(2)
    )
    assert first[1] == second[1]
