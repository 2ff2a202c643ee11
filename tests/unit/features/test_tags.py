"""What words are understood as, and what items have of it."""

from pathlib import Path

import numpy as np
import pytest

from features.interests import CONFIDENCE_LEAST, interests
from features.tags import ItemTags, lifted_by_popularity, read_item_tags
from features.words import Said, faded, request_words
from tandem.v1.event_pb2 import HistoryEvent
from tandem.v1.user_pb2 import InterestTag, UserProfile

# Three of four items are films; "space" and "Space" are two tags.
NAMES = ["film", "space", "Space", "gore"]
VECTORS = np.eye(4, dtype=np.float32)[:2]


@pytest.fixture
def tags() -> ItemTags:
    rows = [[0, 1, 2], [1, 2], [3], [2]]
    starts = np.cumsum([0, *map(len, rows)])
    flat = np.array([row for some in rows for row in some], np.int32)
    return ItemTags(NAMES, VECTORS, 0.4, starts, flat, items=4)


def understood(said: Said, vector: np.ndarray | None, tags: ItemTags) -> dict[str, float]:
    return {tag.tag: round(tag.confidence, 3) for tag in interests(said, vector, tags)}


def test_what_is_named_is_sure_and_what_is_meant_less(tags: ItemTags) -> None:
    vector = np.array([0.7, 0.0, 0.71, 0.0], np.float32)
    assert understood(Said("gore, please"), vector, tags) == {"gore": 1.0, "film": 0.5}
    assert understood(Said("gore"), None, tags) == {"gore": 1.0}
    assert understood(Said(""), vector, tags) == {}
    barely = np.array([0.4 + 0.5 * CONFIDENCE_LEAST, 0, 0, 0], np.float32)
    assert understood(Said("zeppelin"), barely, tags) == {}


def test_some_items_score_as_they_do_among_all(tags: ItemTags) -> None:
    rows = np.array([3, 1, -1, 1, 0])
    for sure in ({}, {"gore": 1.0}, {"space": 0.4, "film": 0.9}):
        asked = tags.asked(InterestTag(tag=name, confidence=c) for name, c in sure.items())
        every = np.append(tags.scores(asked), 0.0).astype(np.float32)
        np.testing.assert_array_equal(tags.scores_of(asked, rows), every[rows])


def test_a_profiles_tags_have_their_confidence_and_fade(tags: ItemTags) -> None:
    said = Said("gore. space", weight=0.5, tags={"SPACE": 0.6})
    assert understood(said, None, tags) == {"gore": 0.5, "space": 0.3, "Space": 0.3}


def test_items_have_more_of_what_is_rare(tags: ItemTags) -> None:
    asked = tags.asked(
        [InterestTag(tag="film", confidence=1), InterestTag(tag="gore", confidence=1)]
    )
    scores = tags.scores(asked)
    assert scores[2] == pytest.approx(1.0)
    assert scores[0] == scores[1] > 0
    assert scores[3] == 0
    assert (
        tags.score_of(asked, ["gore"]) > tags.score_of(asked, ["film"]) == pytest.approx(scores[0])
    )
    half = tags.scores(tags.asked([InterestTag(tag="film", confidence=0.5)]))
    np.testing.assert_allclose(half, [0.5, 0.5, 0.5, 0.0])
    assert not tags.scores(tags.asked([])).any()
    assert not tags.asked([InterestTag(tag="unheard of", confidence=1)]).any()


def test_names_are_asked_for_in_any_case_and_never_beyond_1(tags: ItemTags) -> None:
    asked = tags.asked([InterestTag(tag="SPACE", confidence=9)])
    assert asked.tolist() == [0, 1, 1, 0]


def test_of_items_with_the_same_the_popular_come_first() -> None:
    scores = np.array([0.5, 0.5, 0.0, 1.0], np.float32)
    found = lifted_by_popularity(scores, np.array([1.0, 9.0, 99.0, 0.0], np.float32))
    assert np.argsort(-found).tolist() == [3, 1, 0, 2]
    assert found[2] == 0
    assert np.isfinite(lifted_by_popularity(scores, np.zeros(4, np.float32))).all()


def test_a_release_keeps_them(tags: ItemTags, tmp_path: Path) -> None:
    tags.save(tmp_path)
    kept = read_item_tags(tmp_path, 4)
    assert list(kept.names) == NAMES
    assert kept.vocabulary.names == {"film": 3, "space": 2, "Space": 1, "gore": 1}
    vector = np.array([0.7, 0.0, 0.71, 0.0], np.float32)
    assert understood(Said("gore"), vector, kept) == understood(Said("gore"), vector, tags)


def test_behaviour_since_takes_over_smoothly() -> None:
    profile = UserProfile(text="space")
    profile.said_time.FromSeconds(100)
    events = [HistoryEvent(item_id="a") for _ in range(400)]
    for place, event in enumerate(events):
        event.event_time.FromSeconds(91 + place)  # ten of them before it was said
    weights = [request_words("", profile, events[:count]).weight for count in range(400)]
    assert weights[:11] == [1.0] * 11
    assert weights[20] == pytest.approx(0.5)
    steps = -np.diff(weights)
    assert (steps >= 0).all()
    assert steps.max() < 0.1
    assert weights[-1] < 0.03
    # What is said with the request itself never fades.
    assert request_words("gore", profile, events).weight == 1.0
    assert faded(0) == 1.0
