"""What a running gateway writes down of exports and erasures, and that it names no user."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway_service.settings import Settings
from serving.errors import StorageUnavailable
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.user_pb2 import UserProfile
from tests.support.gateway import World, running_gateway, running_world
from tests.support.users import PROFILE, exported, used


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        yield world


def told(directory: Path, what: str) -> list[dict[str, object]]:
    lines = (directory / "audit.jsonl").read_text().splitlines()
    return [record for line in lines if (record := json.loads(line))["what"] == what]


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
