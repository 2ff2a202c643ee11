"""A safety policy at a running gateway: lists, fallbacks, ages, changes of the file."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from serving.errors import DependencyUnavailable
from serving.server import StartFailed
from tandem.v1 import context_pb2, event_pb2, stage_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.user_pb2 import UserProfile
from tests.support.gateway import ITEM_IDS, World, eventually, running_world

EVEN, ODD = frozenset(ITEM_IDS[::2]), frozenset(ITEM_IDS[1::2])
POLICY = """
[block]
categories = ["Odd"]

[age]
attributes = ["min_age"]

[[override]]
item_id = "item-001"
decision = "allow"
reviewer = "j.doe"
date = 2026-03-01
reason = "Not so odd."

[[override]]
item_id = "item-058"
decision = "block"
reviewer = "j.doe"
date = 2026-03-01
reason = "Complaints."
"""
EXPIRED = POLICY.replace('reason = "Not', 'expires = 2026-03-02\nreason = "Not')
IN_2026 = Timestamp(seconds=1_780_000_000)


def policy_file(directory: Path, text: str = POLICY) -> Path:
    path = directory / "policy.toml"
    path.write_text(text)
    return path


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    path = str(policy_file(tmp_path))
    async with running_world(tmp_path, policy_file=path, policy_interval_s=0.05) as world:
        await world.activate("first")
        yield world


def ids(answer: RecommendResponse) -> list[str]:
    return [item.item_id for item in answer.items]


def told(world: World, what: str) -> list[dict[str, object]]:
    lines = (world.directory / "audit.jsonl").read_text().splitlines()
    return [record for line in lines if (record := json.loads(line))["what"] == what]


async def test_what_retrieval_returned_is_judged_again(world: World) -> None:
    # As if retrieval had not read the policy yet: it returns blocked items among others.
    answer = await world.client.recommend("anna", item_count=10)
    shown = set(ids(answer))
    assert len(shown) == 10
    assert not shown & (ODD - {"item-001"} | {"item-058"})
    assert not answer.degraded


async def test_an_override_lets_an_item_through_and_is_told_once(world: World) -> None:
    for _ in range(3):
        answer = await world.client.recommend("anna", item_count=50)
        assert set(ids(answer)) == (EVEN | {"item-001"}) - {"item-058"}

    async def both_are_told() -> bool:
        return len(told(world, "override_applied")) == 2

    await eventually(both_are_told)
    assert {
        (record["item_id"], record["decision"], record["reviewer"])
        for record in told(world, "override_applied")
    } == {("item-001", "allow", "j.doe"), ("item-058", "block", "j.doe")}
    (loaded,) = told(world, "policy_loaded")
    assert [override["reason"] for override in loaded["overrides"]] == [  # type: ignore[attr-defined]
        "Not so odd.",
        "Complaints.",
    ]
    assert "anna" not in (world.directory / "audit.jsonl").read_text()


async def test_an_expired_override_does_nothing(tmp_path: Path) -> None:
    async with running_world(tmp_path, policy_file=str(policy_file(tmp_path, EXPIRED))) as world:
        await world.activate("first")
        assert set(ids(await world.client.recommend("anna", item_count=50))) == EVEN - {"item-058"}


async def test_with_retrieval_down_the_fallback_list_obeys_the_policy(world: World) -> None:
    world.retrieval.failure = DependencyUnavailable("milvus", "down")
    answer = await world.client.recommend("anna", item_count=50)
    # The whole list is blocked but for one half; its places are taken by what else there is.
    assert set(ids(answer)) == (EVEN | {"item-001"}) - {"item-058"}


async def test_with_the_catalogue_down_what_retrieval_returned_stays_and_fallbacks_go(
    world: World,
) -> None:
    world.retrieval.catalog_failure = DependencyUnavailable("catalogue", "down")
    assert len(ids(await world.client.recommend("anna", item_count=10))) == 10
    world.retrieval.finds_nothing = True
    answer = await world.client.recommend("anna", item_count=10)
    assert not answer.items
    assert answer.degraded
    (skipped,) = [s for s in answer.skipped_stages if s.stage == stage_pb2.STAGE_CHECK]
    assert "fallback items are left out, for the policy" in skipped.detail


async def ages_shown(world: World, user_id: str, **request: object) -> set[int]:
    """Return the least ages of the items that a user is shown in the middle of 2026."""
    context = RequestContext(request_time=IN_2026)
    answer = await world.client.recommend(user_id, item_count=50, context=context, **request)  # type: ignore[arg-type]
    assert answer.items
    attributes = (world.retrieval.items[item_id].attributes for item_id in ids(answer))
    return {values["min_age"].int64_value if "min_age" in values else 0 for values in attributes}


@pytest.fixture
async def aged(world: World) -> World:
    for number, item_id in enumerate(sorted(EVEN)):
        if number % 3:
            least = 12 if number % 3 == 1 else 18
            world.retrieval.items[item_id].attributes["min_age"].int64_value = least
    return world


@pytest.mark.parametrize(
    ("birth_year", "ages"),
    [
        (0, {0}),
        (2014, {0}),
        (2013, {0, 12}),
        (2008, {0, 12}),
        (2007, {0, 12, 18}),
        (1950, {0, 12, 18}),
    ],
)
async def test_age_limits_hold_for_whoever_may_still_have_their_birthday_to_come(
    aged: World, birth_year: int, ages: set[int]
) -> None:
    await aged.client.put_profile("anna", UserProfile(birth_year=birth_year))
    assert await ages_shown(aged, "anna") == ages


async def test_who_is_not_known_is_below_every_limit(aged: World) -> None:
    assert await ages_shown(aged, "") == {0}
    assert await ages_shown(aged, "nobody") == {0}


async def test_age_limits_hold_with_personalization_off_and_nothing_else_is_read(
    aged: World,
) -> None:
    profile = UserProfile(text="private words", birth_year=2010, region_code="DE", group="secret")
    await aged.client.put_profile("anna", profile)
    used = Event(user_id="anna", item_id="item-000", action=event_pb2.ACTION_LIKE, text="my review")
    await aged.client.record_events([used])
    off = context_pb2.PERSONALIZATION_OFF
    assert await ages_shown(aged, "anna", personalization=off) == {0, 12}
    for request in (aged.retrieval.requests[-1], aged.ranking.requests[-1]):
        sent = request.user
        assert sent.profile == UserProfile(birth_year=2010)
        assert not sent.history
        assert len(sent.seen.item_hashes) == 1
        # What is popular with everybody is nobody's secret; nor is what was found for the list.
        request.ClearField("live_counts")
        content = request.SerializeToString()
        for secret in (b"private words", b"my review", b"secret", b"item-000"):
            assert secret not in content


async def test_whose_state_cannot_be_read_is_the_youngest(
    aged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[age]\nattributes = ['min_age']\nage_if_unknown = 18\n"
    policy_file(aged.directory, text)

    async def all_are_shown() -> bool:
        return await ages_shown(aged, "anna") == {0, 12, 18}

    await eventually(all_are_shown)
    await aged.client.put_profile("anna", UserProfile(birth_year=2020))
    assert await ages_shown(aged, "anna") == {0}

    def slow(*_: object) -> None:
        time.sleep(1.0)

    monkeypatch.setattr("gateway_service.hydrate.read_user_state", slow)
    await aged.client.put_profile("anna", UserProfile(birth_year=1950))
    assert await ages_shown(aged, "anna", timeout_s=1.0) == {0}


@pytest.mark.parametrize("catalogue_is_down", [False, True])
async def test_reasons_name_no_blocked_item(world: World, catalogue_is_down: bool) -> None:
    if catalogue_is_down:
        world.retrieval.catalog_failure = DependencyUnavailable("catalogue", "down")
    await world.client.record_events(
        [Event(user_id="anna", item_id="item-003", action=event_pb2.ACTION_LIKE)]
    )
    answer = await world.client.recommend("anna")
    assert world.ranking.requests[-1].user.history[-1].item_id == "item-003"
    for item in answer.items:
        assert item.reasons
        assert all(reason.item_id != "item-003" for reason in item.reasons)
        assert all("item-003" not in reason.text for reason in item.reasons)


async def test_a_changed_item_is_judged_again(world: World) -> None:
    item = world.retrieval.items["item-056"]
    item.revision = 1
    assert "item-056" in ids(await world.client.recommend("anna", item_count=50))
    item.categories[:] = ["odd"]
    item.revision = 2
    assert "item-056" not in ids(await world.client.recommend("anna", item_count=50))


async def test_a_changed_file_is_put_in_force_and_a_broken_one_is_not(world: World) -> None:
    policy_file(world.directory, "[block]\nwords = ['title of']\n")

    async def nothing_is_shown() -> bool:
        return not (await world.client.recommend("anna")).items

    await eventually(nothing_is_shown)
    policy_file(world.directory, "[block]\nword = ['nothing']\n")

    async def it_is_refused() -> bool:
        return bool(told(world, "policy_refused"))

    await eventually(it_is_refused)
    assert not (await world.client.recommend("anna")).items
    assert [record["rules"] for record in told(world, "policy_reloaded")] == [1]


async def test_a_broken_file_stops_the_gateway_from_starting(tmp_path: Path) -> None:
    path = policy_file(tmp_path, "[age]\nattributes = 'min_age'\n")
    with pytest.raises(StartFailed, match=r"policy.toml: \[age\] attributes: must be a list"):
        async with running_world(tmp_path, policy_file=str(path)):
            raise AssertionError("it has started")


async def test_a_year_of_birth_is_refused_where_nobody_could_be_born(world: World) -> None:
    for year in (1899, 2101, -1):
        with pytest.raises(grpc.aio.AioRpcError, match=r"birth_year: must be from 1,900 to 2,100"):
            await world.client.put_profile("anna", UserProfile(birth_year=year))
