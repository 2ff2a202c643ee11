"""Events, profiles and erasure through a real gateway on a real file."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from features.ids import item_hashes
from tandem.v1 import event_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.event_pb2 import Event, HistoryEvent
from tandem.v1.impression_pb2 import Impression, LoggedEvent
from tandem.v1.user_pb2 import InterestTag, UserProfile, UserState
from tests.support.gateway import World, eventually, running_gateway, running_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


async def state(world: World, user_id: str = "anna") -> UserState:
    return (await world.client.get_user_state(user_id)).user


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


async def test_only_the_newest_reviews_travel_with_the_history(world: World) -> None:
    events = [
        Event(
            user_id="anna",
            item_id=f"item-{place}",
            action=event_pb2.ACTION_VIEW,
            event_time=Timestamp(seconds=1_700_000_000 + place),
            text="word " * 200,
        )
        for place in range(60)
    ]
    await world.client.record_events(events)
    texts = [event.text for event in (await state(world)).history]
    assert not any(texts[:10])
    assert all(0 < len(text) <= 400 for text in texts[10:])


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


async def test_a_profile_is_replaced_as_a_whole(world: World) -> None:
    full = UserProfile(
        text="slow films",
        language_code="en",
        region_code="DE",
        interest_tags=[InterestTag(tag="noir", confidence=-0.5)],
        group="a",
    )
    full.said_time.FromSeconds(1_600_000_000)
    first = await world.client.put_profile("anna", full)
    assert (await state(world)).profile == full
    second = await world.client.put_profile("anna", UserProfile(text="fast films"))
    now = await state(world)
    # Who does not tell when it was said, says it now.
    assert abs(now.profile.said_time.ToSeconds() - now.read_time.ToSeconds()) < 60
    now.profile.ClearField("said_time")
    assert now.profile == UserProfile(text="fast films")
    assert second.version > first.version > 0


async def test_an_unknown_user_has_an_empty_state(world: World) -> None:
    user = await state(world, "nobody")
    assert user.version == 0
    assert not user.HasField("profile")
    assert not user.history
    assert user.read_time.seconds > 0


async def test_an_erased_user_is_gone_from_the_file_too(world: World) -> None:
    await world.activate("first")
    secret = "very-private-words"
    await world.client.put_profile("anna-the-erased", UserProfile(text=secret))
    event = Event(user_id="anna-the-erased", item_id="a", action=event_pb2.ACTION_VIEW, text=secret)
    await world.client.record_events([event])
    await world.client.recommend("anna-the-erased")
    await world.client.put_profile("bert", UserProfile(text="stays"))
    before = (await state(world, "anna-the-erased")).version

    erased = await world.client.erase_user("anna-the-erased")
    assert (erased.erased_event_count, erased.erased_impression_count) == (1, 1)
    assert (await state(world, "anna-the-erased")).version == 0
    for file in world.directory.glob("users.db*"):
        content = file.read_bytes()
        assert secret.encode() not in content
        assert b"anna-the-erased" not in content
    assert (await state(world, "bert")).profile.text == "stays"
    assert (await world.client.erase_user("nobody")).erased_event_count == 0
    # Whoever comes back has a greater version than ever, so that no cache takes it for an old one.
    await world.client.record_events([event])
    assert (await state(world, "anna-the-erased")).version > before


async def test_seen_items_are_those_of_all_events_and_not_those_of_mere_answers(
    world: World,
) -> None:
    await world.activate("first")
    answer = await world.client.recommend("anna")
    shown = Event(
        user_id="anna", item_id=answer.items[0].item_id, action=event_pb2.ACTION_IMPRESSION
    )
    used = [
        Event(
            user_id="anna",
            item_id=f"old-{n}",
            action=event_pb2.ACTION_VIEW,
            event_time=Timestamp(seconds=n),
        )
        for n in range(600)
    ]
    await world.client.record_events([shown, *used])
    user = await state(world)
    assert [event.item_id for event in user.history] == [f"old-{n}" for n in range(88, 600)]
    expected = item_hashes([shown.item_id, *(event.item_id for event in used)])
    assert list(user.seen.item_hashes) == expected.tolist()


async def test_concurrent_calls_are_all_stored(world: World) -> None:
    async def record(n: int) -> None:
        event = Event(user_id=f"user-{n % 7}", item_id=f"i-{n}", action=event_pb2.ACTION_CLICK)
        answer = await world.client.record_events([event])
        assert answer.recorded_count == 1

    await asyncio.gather(*(record(n) for n in range(200)))
    counts = [len((await state(world, f"user-{n}")).history) for n in range(7)]
    assert sum(counts) == 200


async def test_state_survives_a_restart(world: World) -> None:
    await world.activate("first")
    await world.client.put_profile("anna", UserProfile(text="slow films"))
    await world.client.record_events(
        [Event(user_id="anna", item_id="a", action=event_pb2.ACTION_VIEW)]
    )
    before = await state(world)
    async with running_gateway(world.settings) as (client, _):
        after = (await client.get_user_state("anna")).user
        after.read_time.CopyFrom(before.read_time)
        assert after == before
        assert (await client.recommend("anna")).release_id == "first"


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
