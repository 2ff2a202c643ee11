"""Erasure at a running gateway: it outlives a restore, a lost database and a new beginning."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from tandem.v1.user_pb2 import UserProfile
from tandem.v1.user_service_pb2 import ExportUserResponse
from tests.support.gateway import running_gateway, running_world
from tests.support.users import PROFILE, exported, used


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
