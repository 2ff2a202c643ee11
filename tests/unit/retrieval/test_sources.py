"""What sources make of their results, and how these are merged."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from features.events import EventArrays
from features.fusion import SourceWeights
from features.item_table import ItemTable
from features.moment import Moment
from features.named_codes import coded
from features.words import SILENCE, request_words
from retrieval_service.catalogue.places import Places
from retrieval_service.merge import Merging
from retrieval_service.sources.fill import fill, keep, keep_best
from retrieval_service.sources.friends import find_friends
from retrieval_service.sources.habit import find_habit
from retrieval_service.sources.nearby import find_nearby
from retrieval_service.sources.query import Query, Scored
from retrieval_service.sources.semantic import merge_by_greatest
from serving.stages import Deadline, NoInput
from tandem.v1 import candidate_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.item_fate_pb2 import Fate
from tandem.v1.item_pb2 import Item
from tandem.v1.user_pb2 import InterestTag, UserProfile

NO_EVENTS = EventArrays(
    rows=np.zeros(0, np.int32),
    actions=np.zeros(0, np.int32),
    times_ms=np.zeros(0, np.int64),
    ratings=np.zeros(0, np.float32),
    offsets_min=np.zeros(0, np.int32),
    latitudes=np.full(0, np.nan, np.float32),
    longitudes=np.full(0, np.nan, np.float32),
)
RANKED: Scored = [(f"i{n}", 1.0 - n / 1_000) for n in range(1_000)]


def query(allowed: Callable[[str], bool], depth: int = 10, seconds: float = 60.0) -> Query:
    nothing = np.zeros(0, np.float32)

    async def search(space: str, vectors: np.ndarray, limit: int) -> list[Scored]:
        raise AssertionError("not searched here")

    return Query(
        loaded=None,  # type: ignore[arg-type]  # not read here
        moment=Moment(0),
        item_ids=[],
        events=NO_EVENTS,
        weights=nothing,
        action_weights=nothing,
        vectors_ED=np.zeros((0, 4), np.float32),
        media_EM=np.zeros((0, 0), np.float32),
        said=SILENCE,
        text_weight=1.0,
        live_counts={},
        friends_items={},
        seed_item_id="",
        seed_vector=None,
        seed_media=nothing,
        depth=depth,
        over_fetch=5,
        fate=lambda item_id: Fate.FATE_UNSPECIFIED if allowed(item_id) else Fate.FATE_SEEN,
        search=search,
        deadline=Deadline(seconds),
    )


class Ranked:
    """A source with 1,000 items, which remembers how many it was asked for."""

    def __init__(self, found: Scored = RANKED) -> None:
        self.found = found
        self.limits: list[int] = []

    async def __call__(self, limit: int) -> Scored:
        self.limits.append(limit)
        await asyncio.sleep(0.001)
        return self.found[:limit]


def after(place: int) -> Callable[[str], bool]:
    return lambda item_id: int(item_id[1:]) >= place


async def test_one_round_is_enough_where_few_items_are_seen() -> None:
    ranked = Ranked()
    kept = await fill(query(after(5)), ranked)
    assert [item_id for item_id, _ in kept] == [f"i{n}" for n in range(5, 15)]
    assert ranked.limits == [15]


async def test_rounds_grow_until_enough_items_are_unseen() -> None:
    ranked = Ranked()
    kept = await fill(query(after(200)), ranked)
    assert [item_id for item_id, _ in kept] == [f"i{n}" for n in range(200, 210)]
    assert ranked.limits == [15, 60, 240]


async def test_rounds_end_when_there_is_no_more_to_find() -> None:
    ranked = Ranked(RANKED[:40])
    kept = await fill(query(after(35)), ranked)
    assert len(kept) == 5
    assert ranked.limits == [15, 60]


async def test_rounds_end_at_scores_that_say_nothing() -> None:
    flat = [(item_id, 0.0) for item_id, _ in RANKED[12:]]
    ranked = Ranked(RANKED[:12] + flat)
    kept = await fill(query(after(8)), ranked)
    assert len(kept) == 4
    assert ranked.limits == [15]


async def test_no_round_is_begun_without_time_for_it() -> None:
    ranked = Ranked()
    assert await fill(query(after(200), seconds=0.004), ranked) == []
    assert ranked.limits == [15]


def test_no_more_than_the_depth_is_kept() -> None:
    assert len(keep(query(after(0), depth=3), RANKED)) == 3


def test_results_of_several_vectors_are_merged_by_the_greatest_score() -> None:
    merged = merge_by_greatest([[("a", 0.9), ("b", 0.2)], [("c", 0.5), ("b", 0.4)]])
    assert merged == [("a", 0.9), ("c", 0.5), ("b", 0.4)]


def test_a_candidate_appears_once_with_a_hit_from_each_source() -> None:
    found = {
        candidate_pb2.SOURCE_CF: [("a", 9.0), ("b", 6.0), ("c", 3.0)],
        candidate_pb2.SOURCE_POPULAR: [("b", 50.0), ("d", 40.0)],
    }
    candidates = Merging(SourceWeights(), 0.0).merge(found, 10)
    assert [c.item_id for c in candidates] == ["b", "a", "d", "c"]
    hits = {hit.source: hit for hit in candidates[0].hits}
    assert {source: hit.rank for source, hit in hits.items()} == {
        candidate_pb2.SOURCE_CF: 2,
        candidate_pb2.SOURCE_POPULAR: 1,
    }
    assert hits[candidate_pb2.SOURCE_CF].score == pytest.approx(0.0, abs=1e-6)
    assert hits[candidate_pb2.SOURCE_POPULAR].score == pytest.approx(1.0)
    assert [c.item_id for c in Merging(SourceWeights(), 0.0).merge(found, 2)] == [
        "b",
        "a",
    ]


def test_an_empty_result_of_a_source_is_no_obstacle() -> None:
    found = {candidate_pb2.SOURCE_CF: [], candidate_pb2.SOURCE_POPULAR: [("a", 1.0)]}
    assert [c.item_id for c in Merging(SourceWeights(), 0.0).merge(found, 5)] == ["a"]


@pytest.mark.parametrize(
    ("text", "profile", "words"),
    [
        (" films ", UserProfile(text="books"), "films"),
        ("", UserProfile(text="books"), "books"),
        (
            "  ",
            UserProfile(
                text="books",
                interest_tags=[
                    InterestTag(tag="war", confidence=-0.5),
                    InterestTag(tag="space"),
                    InterestTag(tag="art", confidence=0.3),
                ],
            ),
            "books. space, art",
        ),
        ("", UserProfile(), ""),
    ],
)
def test_words_are_the_requests_or_else_the_profiles(
    text: str, profile: UserProfile, words: str
) -> None:
    assert request_words(text, profile, []).text == words


def visits(*item_hours: tuple[str, int]) -> Query:
    """Return a query at eight on a Monday, after visits at some hours of the days before."""
    count = len(item_hours)
    hours = np.array([hour for _, hour in item_hours], np.int64)
    times_ms = (np.arange(count) * 24 + hours) * 3_600_000
    nothing = np.full(count, np.nan, np.float32)
    return replace(
        query(lambda _: True),
        item_ids=[item_id for item_id, _ in item_hours],
        events=EventArrays(
            rows=np.full(count, -1, np.int32),
            actions=np.full(count, 2, np.int32),
            times_ms=times_ms,
            ratings=nothing,
            offsets_min=np.zeros(count, np.int32),
            latitudes=nothing,
            longitudes=nothing,
        ),
        weights=np.ones(count, np.float32),
        moment=Moment((4 + 7) * 86_400_000 + 8 * 3_600_000),
    )


async def test_people_come_back_to_what_they_do_at_such_hours() -> None:
    found = await find_habit(
        visits(("cafe", 8), ("bar", 20), ("cafe", 9), ("bar", 21), ("bar", 19))
    )
    assert [item_id for item_id, _ in found] == ["cafe", "bar"]
    with pytest.raises(NoInput, match="no history"):
        await find_habit(query(lambda _: True))


@pytest.mark.parametrize("first", [0, 3, 40, 95, 99])
def test_the_best_that_are_allowed_are_kept_however_many_are_not(first: int) -> None:
    class Release:
        class items:  # noqa: N801
            item_ids = tuple(f"i{n}" for n in range(100))

    class Loaded:
        release = Release()

    asked = replace(query(after(first)), loaded=Loaded())
    scores = np.arange(100, 0, -1).astype(np.float32)
    scores[98] = 0.0
    expected = [n for n in range(first, 100) if n != 98][:10]
    assert keep_best(asked, scores) == [(f"i{n}", 100.0 - n) for n in expected]


async def test_what_friends_used_comes_by_weight_then_as_training_orders_equals() -> None:
    class Release:
        items = ItemTable(
            ["b", "a"],
            ["", ""],
            *[np.zeros((2, 4), np.float32)] * 2,
            *[np.zeros(2)] * 5,
            *[coded(["", ""])] * 2,
        )

    class Loaded:
        release = Release()

    used = {"new": 2.0, "a": 2.0, "b": 2.0, "seen": 9.0, "best": 3.0}
    asked = replace(query(lambda item_id: item_id != "seen"), loaded=Loaded(), friends_items=used)
    assert await find_friends(asked) == [("best", 3.0), ("b", 2.0), ("a", 2.0), ("new", 2.0)]


def placed(item_id: str, latitude: float, longitude: float) -> Item:
    return Item(item_id=item_id, place=Place(latitude=latitude, longitude=longitude))


async def test_what_is_near_is_found_across_the_date_line_and_moves_with_its_item() -> None:
    places = Places()
    for number in range(3_000):
        places.put(placed(f"far{number}", 10.0, number / 10))
    places.put(placed("east", -16.8, 179.99))
    places.put(placed("west", -16.8, -179.99))
    places.put(Item(item_id="nowhere"))
    assert len(places) == 3_002

    class Release:
        items = ItemTable(
            [], [], *[np.zeros((0, 4), np.float32)] * 2, *[np.zeros(0)] * 5, *[coded([])] * 2
        )

    class Loaded:
        release = Release()

    asked = replace(
        query(lambda item_id: item_id != "none"),
        moment=Moment(0, 0, -16.8, 179.9995),
        loaded=Loaded(),
    )
    assert [item_id for item_id, _ in await find_nearby(asked, places)] == ["east", "west"]
    places.put(placed("east", 0.0, 0.0))
    places.put(placed("new", -16.8, 179.9995))
    places.put(Item(item_id="west"))
    places.remove("far7")
    assert [item_id for item_id, _ in await find_nearby(asked, places)] == ["new"]
    places.put(placed("again", -16.8, -179.999))
    assert len(places) == 3_002
    assert [item_id for item_id, _ in await find_nearby(asked, places)] == ["new", "again"]
    with pytest.raises(NoInput, match="no place"):
        await find_nearby(query(lambda _: True), places)


def test_new_items_get_a_share_of_the_places_and_no_more() -> None:
    popular = [(f"i{n}", 1.0) for n in range(100)]
    fresh = [("i3", 1.0), *((f"new{n}", 1.0) for n in range(50))]
    found = {candidate_pb2.SOURCE_POPULAR: popular, candidate_pb2.SOURCE_FRESH: fresh}
    merged = Merging(SourceWeights(), 0.0).merge(found, 60)
    ids = [candidate.item_id for candidate in merged]
    assert ids == [*(f"i{n}" for n in range(57)), "new0", "new1", "new2"]
    sources = {c.item_id: [hit.source for hit in c.hits] for c in merged}
    assert sources["i3"] == [candidate_pb2.SOURCE_POPULAR, candidate_pb2.SOURCE_FRESH]
    assert sources["new0"] == [candidate_pb2.SOURCE_FRESH]
    alone = Merging(SourceWeights(), 0.0).merge({candidate_pb2.SOURCE_FRESH: fresh}, 60)
    assert len(alone) == 3
