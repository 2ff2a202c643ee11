import numpy as np
import pytest

from features.friends import HALVINGS_MOST, ITEMS_MOST, weigh_uses
from features.popularity import HALF_LIFE_MS
from tandem.v1.event_pb2 import Action

VIEW, LIKE = Action.ACTION_VIEW, Action.ACTION_LIKE
DISMISS, IMPRESSION = Action.ACTION_DISMISS, Action.ACTION_IMPRESSION


def weighed(*uses: tuple[int, int, float, int, float]) -> dict[int, float]:
    """Weigh uses: item, friend, closeness, action, age in half-lives."""
    items, friends, closeness, actions, ages = zip(*uses, strict=True)
    ages_ms = [age * HALF_LIFE_MS for age in ages]
    found = weigh_uses(items, friends, closeness, actions, ages_ms)
    assert list(found.weights) == sorted(found.weights, reverse=True)
    return dict(zip(found.items.tolist(), found.weights.tolist(), strict=True))


def test_friends_add_up_and_closer_ones_count_more() -> None:
    assert weighed((7, 0, 1.0, VIEW, 0), (7, 1, 2.5, VIEW, 0), (3, 1, 2.5, VIEW, 0)) == {
        7: 3.5,
        3: 2.5,
    }


def test_of_one_friend_the_weightiest_use_of_an_item_counts() -> None:
    once = weighed((7, 0, 1.0, VIEW, 1), (7, 0, 1.0, LIKE, 1), (7, 0, 1.0, VIEW, 0))
    assert once == {7: 1.0}
    assert weighed((7, 0, 1.0, VIEW, 1), (7, 0, 1.0, LIKE, 0)) == {7: 1.5}


def test_a_use_counts_half_for_every_thirty_days() -> None:
    assert weighed((1, 0, 1.0, VIEW, 0), (2, 0, 1.0, VIEW, 1), (3, 0, 1.0, VIEW, 3)) == {
        1: 1.0,
        2: 0.5,
        3: 0.125,
    }
    long_ago = weighed((1, 0, 1.0, VIEW, 10_000))
    assert long_ago == {1: pytest.approx(2.0**-HALVINGS_MOST)}


def test_what_does_not_speak_for_an_item_counts_nothing() -> None:
    assert weighed((1, 0, 1.0, DISMISS, 0), (2, 0, 1.0, IMPRESSION, 0)) == {}
    # A dismissal takes nothing from what others did, nor from what the friend did before.
    assert weighed((1, 0, 1.0, DISMISS, 0), (1, 0, 1.0, VIEW, 0), (1, 1, 1.0, VIEW, 0)) == {1: 2.0}


def test_no_more_items_travel_than_a_request_takes() -> None:
    count = ITEMS_MOST + 50
    found = weigh_uses(
        np.arange(count), np.zeros(count), np.arange(count) + 1.0, np.full(count, VIEW), [0] * count
    )
    assert found.items.tolist() == list(range(count - 1, 49, -1))
