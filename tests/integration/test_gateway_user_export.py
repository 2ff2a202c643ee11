"""A user's data out of a running gateway: all that is stored, and the command."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import candidate_pb2, event_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import UserProfile
from tandem.v1.user_service_pb2 import ExportUserResponse
from tests.support.command import tandem
from tests.support.gateway import World, running_world
from tests.support.users import PROFILE, exported, used


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        yield world


def whole_event(number: int) -> Event:
    """Return an event with all its fields."""
    event = used("anna", f"used-{number}", 1_000_000 - number)
    event.event_id = f"mine-{number}"
    event.action = event_pb2.ACTION_RATE
    event.dwell.CopyFrom(Duration(seconds=3, nanos=5_000))
    event.rating = 3.5
    event.place.CopyFrom(Place(latitude=-5.25, longitude=0))
    event.utc_offset.CopyFrom(Duration(seconds=-3600))
    event.text = "My own words. 我的话"
    return event


async def test_an_export_has_all_that_was_stored_oldest_first(world: World) -> None:
    await world.client.put_profile("anna", PROFILE)
    events = [whole_event(number) for number in range(1_234)]
    await world.client.record_events(events[:1_000])
    await world.client.record_events(events[1_000:])
    await world.client.record_events([used("bert", "item-007")])
    context = RequestContext(surface="home", request_id="r-1", experiment_arms={"test": "b"})
    context.request_time.CopyFrom(Timestamp(seconds=7_777))
    shown = await world.client.recommend("anna", context=context, item_count=3)
    for _ in range(120):
        await world.client.recommend("anna", item_count=1)
    export = await exported(world.client, "anna")
    assert export.profile == PROFILE
    assert [logged.event for logged in export.events] == events[::-1]
    assert all(abs(e.received_time.seconds - time.time()) < 60 for e in export.events)
    assert len(export.impressions) == 121
    first = export.impressions[0]
    assert (first.request_id, first.release_id, first.surface) == ("r-1", "first", "home")
    assert first.request_time.seconds == 7_777
    assert abs(first.logged_time.seconds - time.time()) < 60
    assert dict(first.experiment_arms) == {"test": "b"}
    assert [item.item_id for item in first.items] == [item.item_id for item in shown.items]
    assert [item.score for item in first.items] == [item.score for item in shown.items]
    assert [hit.source for hit in first.items[0].hits] == [candidate_pb2.SOURCE_POPULAR]


async def test_an_exported_event_is_one_that_is_known_already(world: World) -> None:
    await world.client.record_events([used("anna", "item-001")])
    export = await exported(world.client, "anna")
    events = [logged.event for logged in export.events]
    assert (await world.client.record_events(events)).duplicate_count == 1


async def test_of_an_unknown_user_nothing_is_exported(world: World) -> None:
    batches = [batch async for batch in world.client.export_user("nobody")]
    assert batches == [ExportUserResponse()]
    assert not batches[0].HasField("profile")


async def test_the_command_exports_and_erases(world: World, tmp_path: Path) -> None:
    await world.client.put_profile("anna", PROFILE)
    await world.client.record_events([whole_event(1), used("anna", "item-002")])
    await world.client.recommend("anna", item_count=2)
    file = tmp_path / "anna.jsonl"
    done = await tandem("user", "export", "anna", "--out", file, "--target", world.target)
    assert done.returncode == 0, done.stderr
    profile, first, second, impression = map(json.loads, file.read_text().splitlines())
    assert ParseDict(profile["profile"], UserProfile()) == PROFILE
    assert first["event"]["item_id"] == "item-002"
    assert ParseDict(second["event"], Event()) == whole_event(1)
    assert second["received_time"].endswith("Z")
    assert len(impression["impression"]["items"]) == 2
    assert file.stat().st_mode & 0o077 == 0

    done = await tandem("user", "erase", "anna", "--target", world.target)
    assert done.stderr == "erased 2 events, 1 impressions\n"
    done = await tandem("user", "export", "anna", "--out", file, "--target", world.target)
    assert done.stderr.startswith("nothing is stored")
    assert file.read_text() == ""


def names_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


async def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    done = await tandem("user", "export", "anna", "-o", tmp_path / "a", "--target", "127.0.0.1:1")
    assert done.returncode == 1
    assert "cannot reach Tandem" in done.stderr
    assert names_in(tmp_path) == []
    done = await tandem("user", "export", "anna", "-o", tmp_path / "no" / "a")
    assert "cannot write" in done.stderr
