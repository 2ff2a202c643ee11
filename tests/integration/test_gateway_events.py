"""Events through a real gateway on a real file: each is stored whole, and once."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import event_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.event_pb2 import Event, HistoryEvent
from tests.support.gateway import World, eventually, running_world
from tests.support.users import state


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


async def test_an_event_is_stored_with_all_that_it_says(world: World) -> None:
    event = Event(
        event_id="e1",
        user_id="anna",
        item_id="tea-pot",
        action=event_pb2.ACTION_RATE,
        event_time=Timestamp(seconds=1_700_000_000, nanos=123_456_000),
        dwell=Duration(seconds=90, nanos=500_000_000),
        rating=0.0,
        place=Place(latitude=0.0, longitude=-179.5),
        utc_offset=Duration(seconds=-3_600 * 9 - 1_800),
        text="A fine pot. 好看。",
    )
    answer = await world.client.record_events([event])
    assert (answer.recorded_count, answer.duplicate_count, answer.attributed_count) == (1, 0, 0)
    (stored,) = (await state(world)).history
    assert stored == HistoryEvent(
        item_id="tea-pot",
        action=event_pb2.ACTION_RATE,
        event_time=event.event_time,
        dwell=event.dwell,
        place=event.place,
        rating=0.0,
        utc_offset=event.utc_offset,
        text=event.text,
    )


async def test_what_was_not_given_is_unset_in_the_history(world: World) -> None:
    await world.client.record_events(
        [Event(user_id="anna", item_id="a", action=event_pb2.ACTION_LIKE)]
    )
    (stored,) = (await state(world)).history
    for field in ("dwell", "place", "rating", "utc_offset"):
        assert not stored.HasField(field)
    assert abs(stored.event_time.seconds - time.time()) < 60


async def test_a_resent_event_is_stored_once(world: World) -> None:
    named = Event(event_id="e1", user_id="anna", item_id="a", action=event_pb2.ACTION_CLICK)
    nameless = Event(
        user_id="anna",
        item_id="a",
        action=event_pb2.ACTION_CLICK,
        event_time=Timestamp(seconds=5),
    )
    first = await world.client.record_events([named, nameless, named])
    again = await world.client.record_events([nameless, named])
    assert (first.recorded_count, first.duplicate_count) == (2, 1)
    assert (again.recorded_count, again.duplicate_count) == (0, 2)
    assert len((await state(world)).history) == 2


async def test_a_duplicate_changes_no_version_and_news_raises_it(world: World) -> None:
    event = Event(event_id="e1", user_id="anna", item_id="a", action=event_pb2.ACTION_CLICK)
    await world.client.record_events([event])
    before = (await state(world)).version
    await world.client.record_events([event])
    assert (await state(world)).version == before
    event.event_id = "e2"
    await world.client.record_events([event])
    assert (await state(world)).version > before


async def test_one_bad_event_keeps_the_whole_call_out(world: World) -> None:
    good = Event(user_id="anna", item_id="a", action=event_pb2.ACTION_CLICK)
    bad = Event(user_id="anna", item_id="", action=event_pb2.ACTION_CLICK)
    with pytest.raises(grpc.RpcError, match=r"events\[1\]\.item_id: is required"):
        await world.client.record_events([good, bad])
    assert (await state(world)).version == 0


async def test_batches_on_a_stream_are_answered_once_they_are_on_disk(world: World) -> None:
    async def batches() -> AsyncIterator[list[Event]]:
        for n in range(3):
            yield [
                Event(
                    event_id=f"{n}-{i}", user_id="anna", item_id="a", action=event_pb2.ACTION_VIEW
                )
                for i in range(n + 1)
            ]
            # The answer to a batch is here before the next one is sent.
            await eventually(lambda n=n: answered(n + 1))

    async def answered(count: int) -> bool:
        return len(stored) == count

    stored: list[int] = []
    async for answer in world.client.stream_events(batches()):
        # One after the other: the batches wait for it.
        stored += [answer.recorded_count]
    assert stored == [1, 2, 3]
    assert len((await state(world)).history) == 6


async def test_a_bad_batch_ends_the_stream_and_what_came_before_stays(world: World) -> None:
    async def batches() -> AsyncIterator[list[Event]]:
        yield [Event(user_id="anna", item_id="a", action=event_pb2.ACTION_VIEW)]
        yield [Event(user_id="", item_id="a", action=event_pb2.ACTION_VIEW)]

    with pytest.raises(grpc.RpcError, match=r"events\[0\]\.user_id: is required"):
        async for _ in world.client.stream_events(batches()):
            pass
    assert len((await state(world)).history) == 1


async def test_concurrent_calls_are_all_stored(world: World) -> None:
    async def record(n: int) -> None:
        event = Event(user_id=f"user-{n % 7}", item_id=f"i-{n}", action=event_pb2.ACTION_CLICK)
        answer = await world.client.record_events([event])
        assert answer.recorded_count == 1

    await asyncio.gather(*(record(n) for n in range(200)))
    counts = [len((await state(world, f"user-{n}")).history) for n in range(7)]
    assert sum(counts) == 200


async def test_a_hundred_thousand_events_are_imported_in_seconds(world: World) -> None:
    start = time.monotonic()
    for call in range(100):
        events = [
            Event(
                user_id=f"user-{(call * 1_000 + n) % 610}",
                item_id=f"item-{(call * 7 + n * 13) % 9_000}",
                action=event_pb2.ACTION_RATE,
                rating=4.0,
                event_time=Timestamp(seconds=1_500_000_000 + call * 1_000 + n),
            )
            for n in range(1_000)
        ]
        assert (await world.client.record_events(events)).recorded_count == 1_000
    # About 10 s on two cores; the limit is for machines that do other things at the same time.
    assert time.monotonic() - start < 60
