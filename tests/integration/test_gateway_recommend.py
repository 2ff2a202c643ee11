"""Recommend through a real gateway: what is in the list, and why."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import (
    candidate_pb2,
    context_pb2,
    error_reason_pb2,
    event_pb2,
    filter_pb2,
    stage_pb2,
)
from tandem.v1.common_pb2 import Vector
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.user_pb2 import UserProfile
from tandem_client import reason_of
from tests.support.gateway import ITEM_IDS, World, running_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        yield world


def ids(answer: RecommendResponse) -> list[str]:
    return [item.item_id for item in answer.items]


def skips(answer: RecommendResponse) -> dict[int, int]:
    return {skipped.stage: skipped.cause for skipped in answer.skipped_stages}


def used(user_id: str, *item_ids: str, action: event_pb2.Action.ValueType = 3) -> list[Event]:
    return [
        Event(user_id=user_id, item_id=i, action=action, event_time=Timestamp(seconds=1_000 + n))
        for n, i in enumerate(item_ids)
    ]


async def test_the_ranking_decides_the_order_and_the_catalogue_names_the_titles(
    world: World,
) -> None:
    await world.client.record_events(used("anna", "item-000"))
    answer = await world.client.recommend("anna", item_count=3)
    assert ids(answer) == ["item-059", "item-058", "item-057"]
    assert answer.items[0].title == "Title of item-059"
    assert answer.items[0].score > answer.items[1].score > answer.items[2].score
    assert not answer.skipped_stages
    assert not answer.degraded
    assert answer.release_id == "first"
    assert dict(answer.model_versions) == {"text_encoder": "encoder-1", "ranker": "ranker-1"}
    timed = {timing.stage for timing in answer.stage_timings}
    assert timed >= {
        stage_pb2.STAGE_HYDRATE,
        stage_pb2.STAGE_RETRIEVE,
        stage_pb2.STAGE_RANK,
        stage_pb2.STAGE_CHECK,
    }


async def test_the_list_has_ten_items_by_default(world: World) -> None:
    assert len((await world.client.recommend("anna")).items) == 10


async def test_an_unknown_user_is_flagged_and_not_an_error(world: World) -> None:
    answer = await world.client.recommend("nobody")
    assert len(answer.items) == 10
    assert skips(answer) == {stage_pb2.STAGE_HYDRATE: stage_pb2.SKIP_CAUSE_NO_INPUT}
    assert "unknown user" in answer.skipped_stages[0].detail
    assert not answer.degraded


async def test_an_empty_request_gets_a_list(world: World) -> None:
    assert len((await world.client.recommend()).items) == 10


async def test_an_event_is_seen_by_the_very_next_request(world: World) -> None:
    before = await world.client.recommend("anna", item_count=2)
    await world.client.record_events(used("anna", ids(before)[0]))
    after = await world.client.recommend("anna", item_count=2)
    assert ids(after) == ["item-058", "item-057"]
    assert world.ranking.requests[-1].user.history[-1].item_id == ids(before)[0]


async def test_seen_items_come_back_only_where_people_return_to_items(world: World) -> None:
    await world.client.record_events(used("anna", "item-059"))
    assert "item-059" not in ids(await world.client.recommend("anna"))
    await world.activate("music", repeat=True)
    # People return to items of this release, but what they dismissed stays away.
    await world.client.record_events(used("anna", "item-058", action=event_pb2.ACTION_DISMISS))
    await world.client.recommend("anna")
    assert list(world.retrieval.requests[-1].excluded_item_ids) == ["item-058"]


async def test_excluded_items_and_the_seed_item_stay_out(world: World) -> None:
    answer = await world.client.recommend(
        "anna",
        item_count=2,
        excluded_item_ids=["item-059"],
        context=RequestContext(seed_item_id="item-058"),
    )
    assert ids(answer) == ["item-057", "item-056"]


async def test_unavailable_and_deleted_items_are_replaced(world: World) -> None:
    world.retrieval.items["item-059"].unavailable = True
    world.ranking_part.fake.delay_s = 0.3

    # It disappears after retrieval has found it.
    async def delete() -> None:
        await asyncio.sleep(0.15)
        del world.retrieval.items["item-058"]

    deleting = asyncio.create_task(delete())
    answer = await world.client.recommend("anna", item_count=3)
    await deleting
    assert ids(answer) == ["item-057", "item-056", "item-055"]
    assert not answer.degraded


async def test_items_that_no_longer_satisfy_the_filter_are_replaced(world: World) -> None:
    even = Filter(
        condition=Condition(
            attribute="categories",
            operator=filter_pb2.OPERATOR_EQUAL,
            values=[AttributeValue(string_value="even")],
        )
    )
    # The fake retrieval ignores the filter, as a stale index would.
    answer = await world.client.recommend("anna", item_count=5, filter=even)
    assert ids(answer) == ["item-058", "item-056", "item-054", "item-052", "item-050"]


async def test_without_personalization_only_what_was_seen_is_sent_on(world: World) -> None:
    await world.client.put_profile("anna", UserProfile(text="slow films", language_code="zh"))
    await world.client.record_events(used("anna", "item-059"))
    answer = await world.client.recommend("anna", personalization=context_pb2.PERSONALIZATION_OFF)
    assert "item-059" not in ids(answer)
    assert skips(answer) == {stage_pb2.STAGE_HYDRATE: stage_pb2.SKIP_CAUSE_DISABLED}
    assert not answer.degraded
    sent = world.retrieval.requests[-1].user
    assert not sent.HasField("profile")
    assert not sent.history
    assert len(sent.seen.item_hashes) == 1


async def test_a_profile_can_turn_personalization_off(world: World) -> None:
    await world.client.put_profile("anna", UserProfile(text="x", personalization_disabled=True))
    answer = await world.client.recommend("anna")
    assert skips(answer) == {stage_pb2.STAGE_HYDRATE: stage_pb2.SKIP_CAUSE_DISABLED}
    assert "profile" in answer.skipped_stages[0].detail


async def test_reasons_are_sentences_in_the_users_language(world: World) -> None:
    await world.client.record_events(used("anna", "item-000"))
    english = (await world.client.recommend("anna")).items[0].reasons[0]
    assert english.kind == candidate_pb2.REASON_KIND_LIKE_HISTORY_ITEM
    assert english.text == "Similar to “Title of item-000” in your history"
    await world.client.put_profile("anna", UserProfile(language_code="zh-Hans"))
    chinese = (await world.client.recommend("anna")).items[0].reasons[0]
    assert chinese.text == "与您看过的“Title of item-000”相似"


async def test_request_time_and_id_are_filled_in_and_sent_on(world: World) -> None:
    answer = await world.client.recommend("anna")
    assert len(answer.request_id) == 32
    assert world.retrieval.requests[-1].context.request_id == answer.request_id
    assert world.retrieval.requests[-1].context.HasField("request_time")
    given = RequestContext(request_id="mine", request_time=Timestamp(seconds=1_234))
    answer = await world.client.recommend("anna", context=given)
    assert answer.request_id == "mine"
    assert world.ranking.requests[-1].context == given


async def test_more_items_than_retrieval_finds_are_filled_up_from_the_fallback_list(
    world: World,
) -> None:
    for item_id in ITEM_IDS[:57]:
        await world.client.record_events(used("anna", item_id))
    # Only items 57 to 59 are unseen, and there is nothing else to offer.
    answer = await world.client.recommend("anna", item_count=10)
    assert ids(answer) == ["item-059", "item-058", "item-057"]


async def test_without_an_active_release_the_error_says_so(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        with pytest.raises(grpc.RpcError) as raised:
            await world.client.recommend("anna")
    error = raised.value
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert "no release is active" in error.details()
    assert reason_of(error)[0] == error_reason_pb2.ERROR_REASON_DEPENDENCY_UNAVAILABLE


async def test_what_retrieval_made_of_words_and_history_is_handed_on_to_ranking(
    world: World,
) -> None:
    await world.client.recommend("anna")
    assert not world.ranking.requests[-1].HasField("text_vector")
    assert not world.ranking.requests[-1].HasField("user_vector")
    world.retrieval.text_vector = Vector(float32_values=b"text")
    world.retrieval.user_vector = Vector(float32_values=b"user")
    await world.client.recommend("anna")
    assert world.ranking.requests[-1].text_vector.float32_values == b"text"
    assert world.ranking.requests[-1].user_vector.float32_values == b"user"
