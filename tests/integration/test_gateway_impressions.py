"""What a real gateway showed: logged, joined to events, exported with them, forgotten."""

import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import event_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.event_pb2 import Event
from tandem.v1.impression_pb2 import Impression, LoggedEvent
from tests.support.gateway import World, eventually, running_gateway, running_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


async def test_an_answer_is_logged_once_it_is_given(world: World) -> None:
    await world.activate("first")
    answer = await world.client.recommend("anna", item_count=2)

    async def logged() -> bool:
        with sqlite3.connect(world.directory / "users.db") as connection:
            rows = connection.execute(
                "SELECT user_id, release_id, request_id, content FROM impressions"
            ).fetchall()
        connection.close()
        if len(rows) != 1:
            return False
        content = Impression.FromString(rows[0][3])
        assert rows[0][:3] == ("anna", "first", answer.request_id)
        assert [item.item_id for item in content.items] == [item.item_id for item in answer.items]
        assert content.items[0].hits == answer.items[0].hits
        return True

    await eventually(logged)


async def test_an_event_is_joined_to_the_answer_that_showed_the_item(world: World) -> None:
    await world.activate("first")
    answer = await world.client.recommend("anna")
    click = Event(
        user_id="anna",
        item_id=answer.items[0].item_id,
        action=event_pb2.ACTION_CLICK,
        attribution_token=answer.attribution_token,
    )
    stray = Event(
        user_id="anna", item_id="x", action=event_pb2.ACTION_CLICK, attribution_token="f" * 32
    )
    recorded = await world.client.record_events([click, stray])
    assert (recorded.recorded_count, recorded.attributed_count) == (2, 1)
    (known, unknown), (impression,) = await exported(world)
    assert known.event.event_id.startswith("derived-")
    assert known.event.item_id == impression.items[0].item_id == answer.items[0].item_id
    assert known.attributed.impression_id == impression.impression_id
    assert (known.attributed.position, known.attributed.propensity) == (1, 1.0)
    assert unknown.event.item_id == "x"
    assert not unknown.HasField("attributed")


async def test_a_token_holds_for_its_user_and_its_items_alone(world: World) -> None:
    await world.activate("first")
    answer = await world.client.recommend("anna", item_count=3)
    token, shown = answer.attribution_token, answer.items[2].item_id
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")

    async def attributed(user_id: str, item_id: str, token: str) -> int:
        event = Event(
            user_id=user_id,
            item_id=item_id,
            action=event_pb2.ACTION_CLICK,
            attribution_token=token,
        )
        answer = await world.client.record_events([event])
        assert answer.recorded_count == 1
        return answer.attributed_count

    assert await attributed("anna", shown, token) == 1
    assert await attributed("bert", shown, token) == 0
    assert await attributed("anna", "never shown", token) == 0
    assert await attributed("anna", shown, forged) == 0
    assert await attributed("anna", shown, "not base64!") == 0
    assert await attributed("anna", shown, "") == 0
    for_anyone = await world.client.recommend("", item_count=3)
    assert await attributed("carl", for_anyone.items[0].item_id, for_anyone.attribution_token) == 1
    # Any gateway of the same database reads it.
    async with running_gateway(world.settings) as (other, _):
        event = Event(
            user_id="anna", item_id=shown, action=event_pb2.ACTION_LIKE, attribution_token=token
        )
        assert (await other.record_events([event])).attributed_count == 1


async def test_an_export_holds_all_events_as_they_were_sent(world: World) -> None:
    sent = [
        Event(
            event_id=f"e{n}",
            user_id=f"user-{n % 3}",
            item_id="tea-pot",
            action=event_pb2.ACTION_RATE,
            event_time=Timestamp(seconds=1_700_000_000 - n, nanos=123_456_000),
            dwell=Duration(seconds=90),
            rating=float(n),
            place=Place(latitude=0.0, longitude=-179.5),
            utc_offset=Duration(seconds=-3_600 * 9 - 1_800),
            text="好" * 20_000,
        )
        for n in range(30)
    ]
    await world.client.record_events(sent)
    events, impressions = await exported(world)
    assert [logged.event for logged in events] == sent
    assert not impressions
    await world.client.erase_user("user-1")
    left, _ = await exported(world)
    assert {logged.event.user_id for logged in left} == {"user-0", "user-2"}


async def test_answers_are_forgotten_after_their_days(world: World) -> None:
    await world.activate("first")
    await world.client.recommend("anna")
    await world.client.recommend("anna")

    async def logged() -> bool:
        return len((await exported(world))[1]) == 2

    await eventually(logged)
    with sqlite3.connect(world.directory / "users.db") as connection:
        old = time.time_ns() // 1_000 - 91 * 86_400_000_000
        connection.execute(
            "UPDATE impressions SET logged_time_us = ? WHERE impression_id = "
            "(SELECT MIN(impression_id) FROM impressions)",
            [old],
        )
    connection.close()
    async with running_gateway(world.settings):

        async def forgotten() -> bool:
            return len((await exported(world))[1]) == 1

        await eventually(forgotten)


async def exported(world: World) -> tuple[list[LoggedEvent], list[Impression]]:
    events: list[LoggedEvent] = []
    impressions: list[Impression] = []
    async for part in world.client.export_events():
        assert part.ByteSize() < 2_000_000
        events.extend(part.events)
        impressions.extend(part.impressions)
    return events, impressions
