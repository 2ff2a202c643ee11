"""Friends at a running gateway: whose uses serve whose lists; giving out and erasing them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from features.friends import FRIENDS_KEPT
from tandem.v1 import context_pb2, error_reason_pb2, event_pb2, stage_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Action, Event
from tandem.v1.event_service_pb2 import KnownFriends
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.user_pb2 import Friend, UserProfile
from tandem.v1.user_service_pb2 import ExportUserResponse
from tandem_client import AsyncTandemClient, reason_of
from tests.support.command import tandem
from tests.support.gateway import World, running_gateway, running_world
from tests.support.users import exported

OPEN = UserProfile(text="me", friends_enabled=True)
NOW_S = int(time.time())
DAY_S = 86_400


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        for user_id in ("anna", "bert", "carl"):
            await world.client.put_profile(user_id, OPEN)
        await world.client.put_friends("anna", [Friend(user_id="bert", weight=2), friend("carl")])
        yield world


def friend(user_id: str) -> Friend:
    return Friend(user_id=user_id)


async def did(
    client: AsyncTandemClient,
    user_id: str,
    item_id: str,
    action: Action.ValueType = event_pb2.ACTION_VIEW,
    days_ago: float = 0.0,
) -> None:
    when = Timestamp(seconds=int(NOW_S - days_ago * DAY_S))
    event = Event(user_id=user_id, item_id=item_id, action=action, event_time=when)
    await client.record_events([event])


def at(days_ago: float = -1.0) -> RequestContext:
    return RequestContext(request_time=Timestamp(seconds=int(NOW_S - days_ago * DAY_S)))


async def sent(world: World, user_id: str = "anna", **asked: object) -> dict[str, float]:
    """Return what retrieval was told that friends used, rounded, for a list of a user."""
    await world.client.recommend(user_id, **{"context": at(), **asked})  # type: ignore[arg-type]
    return {
        used.item_id: round(used.count, 2) for used in world.retrieval.requests[-1].friends_items
    }


def skipped(answer: RecommendResponse) -> list[int]:
    stage = stage_pb2.STAGE_SOURCE_FRIENDS
    return [one.cause for one in answer.skipped_stages if one.stage == stage]


async def test_what_friends_used_lately_goes_to_retrieval_without_their_names(
    world: World,
) -> None:
    await did(world.client, "bert", "item-001")
    await did(world.client, "carl", "item-001")
    await did(world.client, "carl", "item-002", event_pb2.ACTION_PURCHASE)
    await did(world.client, "carl", "item-003", event_pb2.ACTION_DISMISS)
    await did(world.client, "bert", "item-004", days_ago=29)
    await did(world.client, "dora", "item-005")
    # A day after the newest and thirty after the oldest.
    day = 2.0 ** (-1 / 30)
    assert await sent(world) == {
        "item-001": round(3 * day, 2),
        "item-002": round(2 * day, 2),
        "item-004": 1.0,
    }
    request = world.retrieval.requests[-1].SerializeToString()
    assert b"bert" not in request
    assert b"carl" not in request
    # What came after the request's time is not known at it.
    assert await sent(world, context=at(days_ago=1)) == {"item-004": round(2 * 2 ** (-28 / 30), 2)}


async def test_nothing_is_read_unless_both_sides_allow_it(world: World) -> None:
    await did(world.client, "bert", "item-001")
    assert set(await sent(world)) == {"item-001"}
    # The friend does not.
    await world.client.put_profile("bert", UserProfile(text="me"))
    assert await sent(world) == {}
    answer = await world.client.recommend("anna", context=at())
    assert skipped(answer) == [stage_pb2.SKIP_CAUSE_NO_INPUT]
    assert not answer.degraded
    # The friend wants no personalization whatever: then nothing of theirs serves others either.
    both = UserProfile(friends_enabled=True, personalization_disabled=True)
    await world.client.put_profile("bert", both)
    assert await sent(world) == {}
    await world.client.put_profile("bert", OPEN)
    assert set(await sent(world)) == {"item-001"}
    # The user does not.
    await world.client.put_profile("anna", UserProfile(text="me"))
    answer = await world.client.recommend("anna", context=at())
    assert not world.retrieval.requests[-1].friends_items
    assert skipped(answer) == []
    # A friendship has one direction.
    assert await sent(world, "bert") == {}


async def test_with_personalization_off_friends_are_off(world: World) -> None:
    await did(world.client, "bert", "item-001")
    off = context_pb2.PERSONALIZATION_OFF
    assert await sent(world, personalization=off) == {}
    profile = UserProfile(friends_enabled=True, personalization_disabled=True)
    await world.client.put_profile("anna", profile)
    assert await sent(world) == {}


async def test_a_release_that_learned_nothing_of_friends_is_told_nothing(world: World) -> None:
    await did(world.client, "bert", "item-001")
    uri = world.release("without", friends=False)
    _ = [step async for step in world.client.activate_release(uri, timeout_s=20)]
    assert await sent(world) == {}


async def test_a_list_of_friends_is_replaced_whole_and_again_the_same(world: World) -> None:
    await did(world.client, "bert", "item-001")
    await did(world.client, "carl", "item-002")
    versions = []
    for _ in range(2):
        stored = await world.client.put_friends("anna", [friend("carl"), friend("not-yet-known")])
        versions.append(stored.version)
        assert set(await sent(world)) == {"item-002"}
    assert versions[0] < versions[1]
    assert (await world.client.get_user_state("anna")).user.version == versions[1]
    await world.client.put_friends("anna", [])
    assert await sent(world) == {}


@pytest.mark.parametrize(
    ("user_id", "friends", "field"),
    [
        ("", [], "user_id"),
        ("anna", [friend("")], "friends[0].user_id"),
        ("anna", [friend("bert"), friend("anna")], "friends[1].user_id"),
        ("anna", [friend("bert"), friend("bert")], "friends[1].user_id"),
        ("anna", [friend("b\nrt")], "friends[0].user_id"),
        ("anna", [friend("x" * 257)], "friends[0].user_id"),
        ("anna", [Friend(user_id="bert", weight=-1)], "friends[0].weight"),
        ("anna", [Friend(user_id="bert", weight=float("nan"))], "friends[0].weight"),
        ("anna", [Friend(user_id="bert", weight=1e7)], "friends[0].weight"),
        ("anna", [friend(f"f{n}") for n in range(FRIENDS_KEPT + 1)], "friends"),
    ],
)
async def test_a_bad_list_is_refused_by_the_field_and_nothing_is_written(
    world: World, user_id: str, friends: list[Friend], field: str
) -> None:
    await did(world.client, "bert", "item-001")
    with pytest.raises(Exception, match=r".") as raised:
        await world.client.put_friends(user_id, friends)
    reason, metadata = reason_of(raised.value)  # type: ignore[arg-type]
    assert reason == error_reason_pb2.ERROR_REASON_INVALID_FIELD
    assert metadata["field"] == field
    assert set(await sent(world)) == {"item-001"}


async def test_when_friends_cannot_be_read_the_list_says_so_and_does_without(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("gateway_service.friends.read_friends_items", fails)
    answer = await world.client.recommend("anna", context=at())
    assert len(answer.items) == 10
    assert answer.degraded
    assert skipped(answer) == [stage_pb2.SKIP_CAUSE_INTERNAL]


async def known_friends(client: AsyncTandemClient) -> list[KnownFriends]:
    return [known async for part in client.export_events() for known in part.friends]


async def test_an_export_has_the_users_own_list_and_training_gets_all(world: World) -> None:
    await world.client.put_friends("bert", [friend("anna")])
    of_anna = [Friend(user_id="bert", weight=2), Friend(user_id="carl", weight=1)]
    assert list((await exported(world.client, "anna")).friends) == of_anna
    assert list((await exported(world.client, "carl")).friends) == []
    assert await known_friends(world.client) == [
        KnownFriends(user_id="anna", friends=of_anna),
        KnownFriends(user_id="bert", friends=[Friend(user_id="anna", weight=1)]),
    ]


async def test_an_erasure_takes_a_user_from_both_sides(world: World) -> None:
    await did(world.client, "bert", "item-001")
    await did(world.client, "carl", "item-002")
    await world.client.put_friends("bert", [friend("anna"), friend("carl")])
    erased = await world.client.erase_user("bert")
    assert erased.erased_friend_count == 3
    assert set(await sent(world)) == {"item-002"}
    assert [one.user_id for one in (await exported(world.client, "anna")).friends] == ["carl"]
    assert (await exported(world.client, "bert")) == ExportUserResponse()
    assert b"bert" not in b"".join(stored(world.directory).values())
    # Who comes back under the id is nobody's friend, and shares nothing until they say so.
    await did(world.client, "bert", "item-003")
    await world.client.put_friends("anna", [friend("bert")])
    assert await sent(world) == {}


def stored(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.glob("users.db*")}


def restore(directory: Path, backup: dict[str, bytes]) -> None:
    for file in directory.glob("users.db*"):
        file.unlink()
    for name, content in backup.items():
        (directory / name).write_bytes(content)


async def test_friends_stay_erased_after_a_restore(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        for user_id in ("anna", "bert", "carl"):
            await world.client.put_profile(user_id, OPEN)
        await world.client.put_friends(
            "anna", [friend("bert"), friend("only-named"), friend("carl")]
        )
        await world.client.put_friends("bert", [friend("carl")])
        settings = world.settings
    backup = stored(tmp_path)
    async with running_gateway(settings) as (client, _):
        await client.erase_user("bert")
        await client.erase_user("only-named")
        await client.put_profile("bert", OPEN)
    restore(tmp_path, backup)
    async with running_gateway(settings) as (client, _):
        assert [one.user_id for one in (await exported(client, "anna")).friends] == ["carl"]
        assert await exported(client, "bert") == ExportUserResponse()
        await did(client, "bert", "item-001")
        await client.put_friends("anna", [friend("bert")])
        answer = await client.recommend("anna", context=at())
        assert stage_pb2.SKIP_CAUSE_NO_INPUT in skipped(answer)


async def said_by_tandem(*arguments: object) -> str:
    """Run the command; return its status and what it says."""
    done = await tandem(*arguments)
    return f"{done.returncode} {done.stderr.strip()}"


async def test_the_command_writes_consent_and_friends_and_gives_them_out(
    world: World, tmp_path: Path
) -> None:
    at_target = ("--target", world.target)
    assert (
        await said_by_tandem("profile", "put", "--user", "dora", "--friends", *at_target)
        == "0 written"
    )
    listed = ("--friend", "bert=2.5", "--friend", "carl")
    done = await said_by_tandem("profile", "friends", "--user", "dora", *listed, *at_target)
    assert done == "0 written"
    bad = await said_by_tandem(
        "profile", "friends", "--user", "dora", "--friend", "bert=much", *at_target
    )
    assert bad.startswith("1 ")
    assert "the weight is no number" in bad
    file = tmp_path / "dora.jsonl"
    assert (await said_by_tandem("user", "export", "dora", "--out", file, *at_target))[0] == "0"
    profile, *told = map(json.loads, await asyncio.to_thread(lines_of, file))
    assert profile["profile"]["friends_enabled"] is True
    assert told == [
        {"friend": {"user_id": "bert", "weight": 2.5}},
        {"friend": {"user_id": "carl", "weight": 1.0}},
    ]
    done = await said_by_tandem("user", "erase", "bert", *at_target)
    assert done == "0 erased 0 events, 0 impressions, 2 friendships"


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines()
