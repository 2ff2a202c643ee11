"""What somebody does at such hours, and when items are wanted."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from features.clock import NO_CLOCK, cycles
from features.events import EventArrays
from features.habits import followers, likeness_of_hours, returns
from features.moment import Moment, moment_after, moment_of
from features.rhythms import LIFT_MOST
from features.senses import ALL_SENSES, Senses, named_senses
from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from training.interactions import Interactions
from training.rhythms import fit_rhythms

NAN = float("nan")
MONDAY = datetime(2024, 5, 6)


def at(day: int, hour: float, offset_min: int = 0) -> tuple[int, int]:
    """Return a local time as Unix milliseconds, with the offset; day 0 is a Monday."""
    zone = timezone(timedelta(minutes=offset_min))
    local = MONDAY.replace(tzinfo=zone) + timedelta(days=day, hours=hour)
    return int(local.timestamp() * 1000), offset_min


def events(*times: tuple[int, int], rows: list[int] | None = None) -> EventArrays:
    count = len(times)
    return EventArrays(
        rows=np.array(rows or range(count), np.int32),
        actions=np.full(count, 2, np.int32),
        times_ms=np.array([time_ms for time_ms, _ in times], np.int64),
        ratings=np.full(count, np.nan, np.float32),
        offsets_min=np.array([offset for _, offset in times], np.int32),
        latitudes=np.linspace(10, 11, count, dtype=np.float32),
        longitudes=np.linspace(20, 21, count, dtype=np.float32),
    )


def test_the_same_hour_of_the_same_day_is_most_alike() -> None:
    past = events(at(0, 8), at(1, 8), at(5, 8), at(0, 9), at(0, 20))
    alike = likeness_of_hours(past, Moment(*at(7, 8)))
    assert alike[0] == pytest.approx(1.0)
    assert alike[0] > alike[3] > alike[4]
    assert alike[0] > alike[1] > alike[2] > alike[4]


@pytest.mark.parametrize("offset", [-720, -210, 0, 345, 840])
def test_hours_are_local_wherever_that_is(offset: int) -> None:
    past = events(at(0, 23.5, offset), at(0, 12, offset))
    alike = likeness_of_hours(past, Moment(*at(7, 23.5, offset)))
    assert alike[0] == pytest.approx(1.0)
    assert alike[1] < 0.1
    # Half past eleven and half past midnight are an hour apart.
    over_midnight = likeness_of_hours(past, Moment(*at(8, 0.5, offset)))
    assert over_midnight[0] > 0.5


def test_an_hour_that_comes_twice_when_clocks_go_back_is_one_hour() -> None:
    # 27 October 2024, Berlin: half past two by summer time, and an hour later by winter time.
    first = (int(datetime(2024, 10, 27, 0, 30, tzinfo=UTC).timestamp() * 1000), 120)
    second = (first[0] + 3_600_000, 60)
    assert likeness_of_hours(events(first), Moment(*second))[0] == pytest.approx(1.0)


def test_without_a_clock_all_hours_are_alike_and_cycles_say_nothing() -> None:
    past = events(at(0, 8), at(3, 20))
    blind = Senses(clock=False)
    moment = blind.of_moment(Moment(*at(7, 8)))
    assert likeness_of_hours(blind.of_events(past), moment).tolist() == [1.0, 1.0]
    hidden = blind.of_events(past)
    assert not cycles(hidden.times_ms, hidden.offsets_min).any()
    assert cycles(past.times_ms, past.offsets_min).any(axis=1).all()
    assert hidden.times_ms is past.times_ms
    assert named_senses(blind.by_name()) == blind


def test_without_a_sense_of_place_nothing_is_anywhere() -> None:
    blind = Senses(place=False)
    assert np.isnan(blind.of_events(events(at(0, 8))).latitudes).all()
    assert np.isnan(blind.of_moment(Moment(0, 0, 1.0, 2.0)).longitude)
    past = events(at(0, 8))
    assert ALL_SENSES.of_events(past) is past


def test_a_moment_is_where_and_when_the_newest_event_was_unless_told() -> None:
    past = events(at(0, 8, 120), at(1, 8, 60))
    context = RequestContext()
    context.request_time.FromMilliseconds(5_000)
    assert moment_of(context, past) == Moment(5_000, 60, 11.0, 21.0)
    context.utc_offset.FromSeconds(0)
    context.place.CopyFrom(Place(latitude=-1.5, longitude=179.5))
    assert moment_of(context, past) == Moment(5_000, 0, -1.5, 179.5)
    alone = moment_after(past[:0], 7)
    assert alone.offset_min == 0
    assert np.isnan(alone.latitude)


def test_what_was_used_often_of_late_and_at_this_hour_is_returned_to() -> None:
    past = events(at(0, 8), at(0, 20), at(1, 8), at(1, 20), rows=[5, 6, 5, 6])
    scores = returns(past.rows, np.ones(4, np.float32), likeness_of_hours(past, Moment(*at(2, 8))))
    assert scores[0] == scores[2] > scores[1] == scores[3] > 0
    disliked = returns(past.rows, -np.ones(4, np.float32), np.ones(4, np.float32))
    assert not disliked.any()
    assert not len(returns(past.rows[:0], np.zeros(0, np.float32), np.zeros(0, np.float32)))


def test_followers_are_what_came_after_the_newest_item_before() -> None:
    assert followers(np.array([1, 2, 1, 3, 1], np.int32)).tolist() == [2, 3]
    assert not len(followers(np.array([2, -1], np.int32)))
    assert not len(followers(np.array([], np.int32)))


def test_rhythms_tell_breakfast_from_dinner_and_so_do_texts() -> None:
    times = [at(day, 8) for day in range(5)] * 4 + [at(day, 19) for day in range(5)] * 4
    rows = np.repeat([0, 1], 20).tolist()
    past = events(*times, rows=rows)
    known = Interactions(past, np.array([0, 40]), 4, np.arange(40))
    vectors = np.array([[1, 0], [0, 1], [1, 0], [0, 0]], np.float32)
    rhythms = fit_rhythms(known, vectors)
    every = np.arange(4, dtype=np.int32)
    morning = rhythms.at(Moment(*at(9, 8)), every, vectors)
    evening = rhythms.at(Moment(*at(9, 19)), every, vectors)
    assert morning[0] > 0.3 > 0 > morning[1]
    assert evening[1] > 0.3 > 0 > evening[0]
    # Item 2 was never used: what it is called has to do. Of item 3 nothing is known.
    assert morning[2] > 0 > evening[2]
    assert abs(morning[3]) < 1e-3
    unknown = rhythms.at(Moment(*at(9, 8)), np.full(4, -1, np.int32), vectors)
    assert unknown[0] > 0 > unknown[1]
    assert np.abs(rhythms.lifts).max() <= LIFT_MOST
    assert not rhythms.at(Moment(0, NO_CLOCK), every, vectors).any()
