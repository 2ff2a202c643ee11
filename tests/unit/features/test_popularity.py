"""What is popular where and when, how it is counted, and what is learned of it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from features.clock import NO_CLOCK
from features.events import EventArrays
from features.item_table import ItemTable
from features.moment import Moment
from features.named_codes import coded
from features.popularity import NOTHING, Counting, everywhere
from features.senses import Senses
from training.cf import popularity as counted
from training.interactions import Interactions
from training.popularity import fit_popularity, learn_popularity
from training.rhythms import fit_rhythms
from training.targets import Target
from training.words import NO_WORDS

ITEMS = 6
HOUR_MS = 3_600_000
BERLIN, SYDNEY = (52.52, 13.405), (-33.87, 151.21)


def interactions(*events: tuple[int, float, tuple[float, float]], users: int = 1) -> Interactions:
    """Return events of (item, hour since a Thursday's midnight, place), shared out among users."""
    rows, hours, places = zip(*events, strict=True)
    count = len(events)
    arrays = EventArrays(
        rows=np.array(rows, np.int32),
        actions=np.full(count, 2, np.int32),
        times_ms=(np.array(hours) * HOUR_MS).astype(np.int64),
        ratings=np.full(count, np.nan, np.float32),
        offsets_min=np.zeros(count, np.int32),
        latitudes=np.array([place[0] for place in places], np.float32),
        longitudes=np.array([place[1] for place in places], np.float32),
    )
    starts = np.linspace(0, count, users + 1).astype(np.int64)
    return Interactions(arrays, starts, ITEMS, np.arange(count))


def table(known: Interactions) -> ItemTable:
    plain, recent = counted(known)
    nowhere = np.full(ITEMS, np.nan, np.float32)
    return ItemTable(
        item_ids=[f"i{n}" for n in range(ITEMS)],
        text_hashes=[""] * ITEMS,
        text_vectors=np.zeros((ITEMS, 2), np.float32),
        text_tokens=np.zeros((ITEMS, 0), np.int32),
        popularity=plain,
        recent_popularity=recent,
        create_time_ms=np.full(ITEMS, -1, np.int64),
        latitude=nowhere,
        longitude=nowhere,
        category=coded([""] * ITEMS),
        brand=coded([""] * ITEMS),
    )


def scores(
    known: Interactions, moment: Moment, reach_km: float, hour: float = 0.0
) -> np.ndarray | None:
    found = fit_popularity(known).with_counting(Counting(reach_km, hour=hour))
    return found.at(moment, table(known), fit_rhythms(known, np.zeros((ITEMS, 2), np.float32)))


def here(place: tuple[float, float], hour: float = 0.0) -> Moment:
    return Moment(int(hour * HOUR_MS), 0, *place)


def test_each_region_has_its_own_favourites_and_all_know_those_of_everybody() -> None:
    known = interactions(*[(0, 0.0, BERLIN)] * 20, *[(1, 0.0, SYDNEY)] * 30, (2, 0.0, BERLIN))
    berlin, sydney = (scores(known, here(place), 25.0) for place in (BERLIN, SYDNEY))
    assert berlin is not None
    assert sydney is not None
    assert berlin[0] > berlin[1] > berlin[2] > 0
    assert sydney[1] > sydney[0] > sydney[2] > 0
    # Where nobody ever was, what is popular is what is popular everywhere.
    nowhere = scores(known, here((0.0, -150.0)), 25.0)
    assert nowhere is not None
    recent = table(known).recent_popularity
    np.testing.assert_allclose(nowhere / nowhere.sum(), recent / recent.sum(), rtol=1e-5)


def test_near_counts_more_than_far() -> None:
    known = interactions(
        *((item, 0.0, (52.5 + 0.2 * item, 13.4)) for item in range(4)), (4, 0.0, SYDNEY)
    )
    found = scores(known, here((52.5, 13.4)), 25.0)
    assert found is not None
    assert np.argsort(-found)[:4].tolist() == [0, 1, 2, 3]
    assert found[4] < found[3]


@pytest.mark.parametrize(
    ("one", "other"),
    [((0.0, 179.999), (0.0, -179.999)), ((90.0, 0.0), (89.999, 140.0)), ((-90.0, 10.0),) * 2],
)
def test_a_region_may_lie_across_the_date_line_or_a_pole(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    known = interactions((0, 0.0, one), *[(1, 0.0, BERLIN)] * 3)
    found = scores(known, here(other), 5.0)
    assert found is not None
    # What everybody does makes the second three times the first: the rest is the region's.
    assert found[0] - found[1] / 3 > 0.5


def test_the_hour_moves_what_is_popular_then() -> None:
    mornings = [(0, 24.0 * day + 8, BERLIN) for day in range(4) for _ in range(10)]
    evenings = [(1, 24.0 * day + 20, BERLIN) for day in range(4) for _ in range(10)]
    known = interactions(*mornings, *evenings)
    breakfast, dinner = (scores(known, here(BERLIN, hour), 0.0, 1.0) for hour in (8.0, 20.0))
    assert breakfast is not None
    assert dinner is not None
    assert breakfast[0] > breakfast[1]
    assert dinner[1] > dinner[0]


def test_what_is_not_sensed_changes_nothing() -> None:
    known = interactions(*[(0, 8.0, BERLIN)] * 9, (1, 20.0, SYDNEY))
    moment = here(BERLIN, 8.0)
    assert scores(known, moment, 0.0) is None
    blind = Senses(clock=False, place=False).of_moment(moment)
    assert scores(known, blind, 25.0, 1.0) is None
    no_place = Senses(place=False).of_moment(moment)
    assert scores(known, no_place, 25.0) is None
    assert scores(known, replace(moment, offset_min=NO_CLOCK), 0.0, 1.0) is None
    nowhere = interactions(*[(0, 8.0, (np.nan, np.nan))] * 3)
    assert not len(fit_popularity(nowhere).centres)
    # Places are asked about, but the release knows none.
    found = everywhere().with_counting(Counting(25.0)).at(moment, table(known), None)  # type: ignore[arg-type]
    assert found is not None
    assert np.argmax(found) == 0


def test_where_no_place_is_known_a_region_by_name_has_favourites_of_its_own() -> None:
    nowhere = (np.nan, np.nan)
    events = [(0, 0.0, nowhere)] * 9 + [(1, 0.0, nowhere)] * 9 + [(2, 0.0, nowhere)] * 9
    known = replace(interactions(*events, users=3), regions=("DE", "AU", ""))
    found = fit_popularity(known)
    assert found.regions == ["AU", "DE"]
    by_region = found.with_counting(Counting(region=True))
    rhythms = fit_rhythms(known, np.zeros((ITEMS, 2), np.float32))

    def best(region: str, counting: Counting) -> int | None:
        moment = Moment(0, region=region)
        by_all = found.with_counting(counting).at(moment, table(known), rhythms)
        return None if by_all is None else int(np.argmax(by_all))

    assert [best(region, by_region.counting) for region in ("DE", "AU")] == [0, 1]
    assert best("FR", by_region.counting) is None
    assert best("DE", NOTHING) is None
    assert best("DE", Counting(reach_km=25.0)) is None
    assert Senses(place=False).of_moment(Moment(0, region="DE")).region == ""
    assert not known.sensed_by(Senses(place=False)).regions
    some = known.where(np.arange(27) < 18)
    assert some.regions == known.regions


def learned(known: Interactions) -> Counting:
    tables = SimpleNamespace(
        items=table(known),
        rhythms=fit_rhythms(known, np.zeros((ITEMS, 2), np.float32)),
        popularity=fit_popularity(known),
    )

    def moment(target: Target) -> Moment:
        events = known.of(target.user)[target.place : target.place + 1]
        place = float(events.latitudes[0]), float(events.longitudes[0])
        region = known.regions[target.user] if known.regions else ""
        return Moment(int(events.times_ms[0]), 0, *place, region=region)

    maker = SimpleNamespace(tables=tables, interactions=known, repeat=True, moment=moment)
    targets = [Target(user, 0, NO_WORDS) for user in range(known.users)]
    return learn_popularity(maker, targets)  # type: ignore[arg-type]


def test_places_and_hours_count_where_they_help() -> None:
    random = np.random.default_rng(0)
    hours, in_berlin = random.integers(0, 96, 200), random.random(200) < 0.5
    places = [BERLIN if one else SYDNEY for one in in_berlin]
    by_place = [(int(one), float(h), p) for one, h, p in zip(in_berlin, hours, places, strict=True)]
    found = learned(interactions(*by_place, users=200))
    assert found.reach_km > 0
    assert not found.hour
    late = hours % 24 >= 12
    by_hour = [(int(one), float(h), p) for one, h, p in zip(late, hours, places, strict=True)]
    found = learned(interactions(*by_hour, users=200))
    assert found.hour > 0
    assert not found.reach_km
    nowhere = [(item, hour, (np.nan, np.nan)) for item, hour, _ in by_place]
    names = tuple("DE" if one else "AU" for one in in_berlin)
    found = learned(replace(interactions(*nowhere, users=200), regions=names))
    assert found == Counting(region=True)
    # A few tell nothing.
    assert learned(interactions(*by_place[:40], users=40)) == NOTHING


def test_scores_are_the_callers_own() -> None:
    known = interactions(*[(0, 1.0, BERLIN)] * 3, users=3)
    items, rhythms = table(known), fit_rhythms(known, np.zeros((ITEMS, 2), np.float32))
    found = fit_popularity(known).with_counting(Counting(ever=True)).at(Moment(0), items, rhythms)
    assert found is not None
    np.testing.assert_array_equal(found, items.popularity)
    found[:] = -1.0
    assert items.popularity.min() >= 0
