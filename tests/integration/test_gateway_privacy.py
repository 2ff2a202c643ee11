"""Users' rights at a running gateway: export, erasure, and erasure that outlives a restore."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp

from gateway_service.settings import Settings
from serving.errors import StorageUnavailable
from tandem.v1 import candidate_pb2, event_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import InterestTag, UserProfile
from tandem.v1.user_service_pb2 import ExportUserResponse
from tandem_client import AsyncTandemClient
from tests.support.gateway import World, running_gateway, running_world

PROFILE = UserProfile(
    text="slow films",
    language_code="zh",
    region_code="DE",
    interest_tags=[InterestTag(tag="war", confidence=-1.0)],
    group="a",
    said_time=Timestamp(seconds=5),
    birth_year=1990,
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        yield world


def used(user_id: str, item_id: str, seconds: int = 1_000) -> Event:
    return Event(
        user_id=user_id,
        item_id=item_id,
        action=event_pb2.ACTION_VIEW,
        event_time=Timestamp(seconds=seconds),
    )


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


async def exported(client: AsyncTandemClient, user_id: str) -> ExportUserResponse:
    """Return the batches of an export in one."""
    whole = ExportUserResponse()
    async for batch in client.export_user(user_id, timeout_s=20):
        whole.MergeFrom(batch)
    return whole


def told(directory: Path, what: str) -> list[dict[str, object]]:
    lines = (directory / "audit.jsonl").read_text().splitlines()
    return [record for line in lines if (record := json.loads(line))["what"] == what]


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


async def test_exports_and_erasures_are_told_without_the_id(world: World) -> None:
    await world.client.put_profile("anna-the-first", PROFILE)
    await exported(world.client, "anna-the-first")
    await world.client.erase_user("anna-the-first")
    (export,), (erasure,) = (
        told(world.directory, what) for what in ("user_exported", "user_erased")
    )
    assert export["user"] == erasure["user"]
    assert len(str(export["user"])) == 32
    assert "anna" not in (world.directory / "audit.jsonl").read_text()


async def test_hashes_are_others_with_a_key(tmp_path: Path) -> None:
    hashes = set()
    for key in ("", "one", "another " * 20):
        directory = tmp_path / str(len(hashes))
        directory.mkdir()
        async with running_world(directory, audit_key=key) as world:
            await world.client.erase_user("anna")
        hashes |= {str(record["user"]) for record in told(directory, "user_erased")}
    assert len(hashes) == 3


def backup(directory: Path) -> Path:
    """Copy the database as an operator does."""
    copy = directory / "backup.db"
    with sqlite3.connect(directory / "users.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
    return copy


def restore(directory: Path) -> None:
    for file in directory.glob("users.db*"):
        file.unlink()
    shutil.copy(directory / "backup.db", directory / "users.db")


def content(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.glob("users.db*"))


async def test_a_restored_backup_is_erased_again_at_the_start(tmp_path: Path) -> None:
    async with running_world(tmp_path, audit_key="key") as world:
        await world.activate("first")
        for user_id in ("anna-the-erased", "bert"):
            await world.client.put_profile(user_id, UserProfile(text=f"words of {user_id}"))
            await world.client.record_events([used(user_id, "item-001")])
            await world.client.recommend(user_id)
        # Nobody knows this one but from what was shown.
        await world.client.recommend("carl-the-shown")
        # Impressions are written after the answer, but before what comes later.
        await world.client.put_profile("dora", UserProfile())
        backup(tmp_path)
        await world.client.erase_user("anna-the-erased")
        await world.client.erase_user("carl-the-shown")
        settings = world.settings
    restore(tmp_path)
    assert b"anna-the-erased" in content(tmp_path)
    assert b"carl-the-shown" in content(tmp_path)

    async with running_gateway(settings) as (client, _):
        for user_id in ("anna-the-erased", "carl-the-shown"):
            assert await exported(client, user_id) == ExportUserResponse()
        assert (await client.get_user_state("anna-the-erased")).user.version == 0
        assert (await exported(client, "bert")).profile.text == "words of bert"
        # Who comes back after that is a new user, and stays one.
        await client.record_events([used("anna-the-erased", "item-002")])
    assert b"words of anna" not in content(tmp_path)
    async with running_gateway(settings) as (client, _):
        history = (await client.get_user_state("anna-the-erased")).user.history
        assert [event.item_id for event in history] == ["item-002"]


async def test_what_comes_after_an_erasure_survives_a_restore(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        await world.client.record_events([used("anna", "item-001")])
        await world.client.erase_user("anna")
        await world.client.put_profile("anna", UserProfile(text="back again"))
        await world.client.record_events([used("anna", "item-002")])
        backup(tmp_path)
        settings = world.settings
    restore(tmp_path)
    async with running_gateway(settings) as (client, _):
        user = (await client.get_user_state("anna")).user
        assert user.profile.text == "back again"
        assert [event.item_id for event in user.history] == ["item-002"]


async def test_an_erasure_that_the_database_missed_is_made_up_for_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("the disk is gone")

    async with running_world(tmp_path) as world:
        await world.client.put_profile("anna", PROFILE)
        await world.client.record_events([used("anna", "item-001")])
        with monkeypatch.context() as patch:
            patch.setattr("gateway_service.erasure.erase_user", fails)
            with pytest.raises(Exception, match="storage is unavailable"):
                await world.client.erase_user("anna")
        assert (await world.client.get_user_state("anna")).user.version
        # Later events are of a new beginning.
        await world.client.record_events([used("anna", "item-002", seconds=1)])
        settings = world.settings
    async with running_gateway(settings) as (client, _):
        user = (await client.get_user_state("anna")).user
        assert [event.item_id for event in user.history] == ["item-002"]
        assert not user.profile.text


async def test_nobody_is_erased_whose_erasure_cannot_be_told(world: World) -> None:
    await world.client.put_profile("anna", PROFILE)
    audit = world.directory / "audit.jsonl"
    audit.unlink(missing_ok=True)
    audit.mkdir()
    with pytest.raises(Exception, match="audit log"):
        await world.client.erase_user("anna")
    assert (await world.client.get_user_state("anna")).user.version
    audit.rmdir()
    await world.client.erase_user("anna")
    assert not (await world.client.get_user_state("anna")).user.version


async def test_a_gateway_whose_audit_log_cannot_be_written_does_not_start(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/users.db", audit_file=f"{tmp_path}/users.db/audit.jsonl"
    )
    (tmp_path / "users.db").write_text("")
    with pytest.raises(StorageUnavailable, match="audit log"):
        async with running_gateway(settings):
            raise AssertionError("it has started")


async def test_logs_name_no_user_and_none_of_their_words(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await world.client.put_profile("anna-in-the-log", UserProfile(text="my private words"))
    event = used("anna-in-the-log", "item-001")
    event.text = "my private review"
    await world.client.record_events([event])
    world.retrieval.delay_s = 60
    context = RequestContext(request_id="r-1")
    answer = await world.client.recommend(
        "anna-in-the-log", text="my private wish", context=context, timeout_s=0.5
    )
    assert answer.degraded
    with pytest.raises(Exception, match="item_count"):
        await world.client.recommend("anna-in-the-log", item_count=-1)
    await exported(world.client, "anna-in-the-log")
    await world.client.erase_user("anna-in-the-log")
    assert "r-1 is degraded" in caplog.text
    assert "ExportUser" in caplog.text
    for secret in ("anna-in-the-log", "private"):
        assert secret not in caplog.text


async def tandem(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command beside the gateway of this process."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tandem_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


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
