"""What a real gateway knows of a user: profile, history and seen items, until they are erased."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from features.ids import item_hashes
from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import InterestTag, UserProfile
from tests.support.gateway import World, running_gateway, running_world
from tests.support.users import state


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


async def test_an_unknown_user_has_an_empty_state(world: World) -> None:
    user = await state(world, "nobody")
    assert user.version == 0
    assert not user.HasField("profile")
    assert not user.history
    assert user.read_time.seconds > 0


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
