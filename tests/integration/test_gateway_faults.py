"""What a gateway answers while parts behind it are down, slow or overloaded."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from serving.errors import DependencyUnavailable, Internal, InvalidField, Overloaded
from tandem.v1 import candidate_pb2, error_reason_pb2, event_pb2, filter_pb2, stage_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem_client import reason_of, retry_after_s
from tests.support.gateway import FALLBACK_IDS, ITEM_IDS, World, eventually, running_world

EVEN = Filter(
    condition=Condition(
        attribute="categories",
        operator=filter_pb2.OPERATOR_EQUAL,
        values=[AttributeValue(string_value="even")],
    )
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        yield world


def ids(answer: RecommendResponse) -> list[str]:
    return [item.item_id for item in answer.items]


def cause(answer: RecommendResponse, stage: stage_pb2.Stage.ValueType) -> str:
    (skipped,) = [skipped for skipped in answer.skipped_stages if skipped.stage == stage]
    return stage_pb2.SkipCause.Name(skipped.cause).removeprefix("SKIP_CAUSE_")


async def saw(world: World, *item_ids: str) -> None:
    await world.client.record_events(
        Event(user_id="anna", item_id=i, action=event_pb2.ACTION_VIEW) for i in item_ids
    )


async def test_with_retrieval_down_the_fallback_list_is_ranked_without_seen_items(
    world: World,
) -> None:
    await saw(world, *FALLBACK_IDS[:3])
    world.retrieval.failure = DependencyUnavailable("milvus", "down")
    answer = await world.client.recommend("anna", item_count=5)
    assert cause(answer, stage_pb2.STAGE_RETRIEVE) == "UNAVAILABLE"
    assert "fallback list" in answer.skipped_stages[0].detail
    assert answer.degraded
    # The fake ranking turns round what it gets: the unseen part of the list.
    ranked = world.ranking.requests[-1]
    assert ids(answer) == [c.item_id for c in reversed(ranked.candidates)][:5]
    assert {c.item_id for c in ranked.candidates[:27]} == set(FALLBACK_IDS[3:])
    assert not set(ids(answer)) & set(FALLBACK_IDS[:3])
    assert {hit.source for item in answer.items for hit in item.hits} <= {
        candidate_pb2.SOURCE_FALLBACK,
        candidate_pb2.SOURCE_RANDOM,
    }
    assert answer.items[0].title


async def test_with_everything_down_the_fallback_list_is_served_as_it_is(world: World) -> None:
    await saw(world, FALLBACK_IDS[1])
    await world.retrieval_part.stop()
    await world.ranking_part.stop()
    answer = await world.client.recommend("anna", item_count=4)
    assert ids(answer) == [FALLBACK_IDS[0], *FALLBACK_IDS[2:5]]
    for stage in (stage_pb2.STAGE_RETRIEVE, stage_pb2.STAGE_RANK, stage_pb2.STAGE_CHECK):
        assert cause(answer, stage) == "UNAVAILABLE"
    assert not any(item.title for item in answer.items)
    assert not any(item.action_probabilities for item in answer.items)
    assert answer.items[0].reasons[0].kind == candidate_pb2.REASON_KIND_FALLBACK
    assert answer.items[0].reasons[0].text == "A general suggestion"


async def test_where_the_fallback_list_ends_a_random_list_of_the_user_begins(
    world: World,
) -> None:
    uri = world.release("bare", fallback=[])
    async for _ in world.client.activate_release(uri):
        pass
    await world.retrieval_part.stop()
    await world.ranking_part.stop()
    first = await world.client.recommend("anna", item_count=20)
    again = await world.client.recommend("anna", item_count=20)
    other = await world.client.recommend("bert", item_count=20)
    assert len(set(ids(first))) == 20
    assert ids(first) == ids(again)
    assert ids(first) != ids(other)
    assert first.items[0].hits[0].source == candidate_pb2.SOURCE_RANDOM


async def test_with_ranking_down_items_keep_the_order_in_which_they_were_found(
    world: World,
) -> None:
    world.ranking.failure = Internal()
    answer = await world.client.recommend("anna", item_count=3)
    assert ids(answer) == ITEM_IDS[:3]
    assert answer.items[0].score > answer.items[1].score > answer.items[2].score
    assert cause(answer, stage_pb2.STAGE_RANK) == "UNAVAILABLE"
    assert answer.items[0].reasons[0].kind == candidate_pb2.REASON_KIND_POPULAR
    assert answer.items[0].reasons[0].text == "Popular lately"
    assert answer.degraded


@pytest.mark.parametrize(
    ("failure", "named"),
    [(Overloaded(0.1), "OVERLOADED"), (InvalidField("candidates", "odd"), "INTERNAL")],
)
async def test_the_cause_of_a_skipped_stage_is_told(
    world: World, failure: Overloaded | InvalidField, named: str
) -> None:
    world.ranking.failure = failure
    answer = await world.client.recommend("anna")
    assert cause(answer, stage_pb2.STAGE_RANK) == named


async def test_a_release_that_a_service_has_lost_is_a_version_mismatch(world: World) -> None:
    world.ranking.releases.clear()
    answer = await world.client.recommend("anna")
    assert cause(answer, stage_pb2.STAGE_RANK) == "VERSION_MISMATCH"
    assert len(answer.items) == 10


async def test_with_the_catalogue_down_titles_are_missing_and_the_filter_holds(
    world: World,
) -> None:
    world.retrieval.catalog_failure = DependencyUnavailable("sql", "down")
    answer = await world.client.recommend("anna", item_count=3)
    assert ids(answer) == ["item-059", "item-058", "item-057"]
    assert cause(answer, stage_pb2.STAGE_CHECK) == "UNAVAILABLE"
    # What retrieval found, it has filtered itself.
    filtered = await world.client.recommend("anna", item_count=3, filter=EVEN)
    assert len(filtered.items) == 3


async def test_a_filter_that_nobody_can_apply_leaves_fallback_items_out(world: World) -> None:
    await world.retrieval_part.stop()
    answer = await world.client.recommend("anna", item_count=3, filter=EVEN)
    assert not answer.items
    (check,) = [s for s in answer.skipped_stages if s.stage == stage_pb2.STAGE_CHECK]
    assert "left out, for the filter" in check.detail


async def test_fallback_items_are_filtered_by_the_catalogue(world: World) -> None:
    world.retrieval.failure = DependencyUnavailable("milvus", "down")
    answer = await world.client.recommend("anna", item_count=25, filter=EVEN)
    assert len(answer.items) == 25
    assert all(int(item_id.removeprefix("item-")) % 2 == 0 for item_id in ids(answer))


async def test_retrieval_that_finds_nothing_is_replaced_by_the_fallback_list(
    world: World,
) -> None:
    world.retrieval.finds_nothing = True
    answer = await world.client.recommend("anna")
    assert len(answer.items) == 10
    assert cause(answer, stage_pb2.STAGE_RETRIEVE) == "NO_INPUT"


async def test_a_filter_that_retrieval_refuses_is_the_callers_error(world: World) -> None:
    world.retrieval.failure = InvalidField("filter.condition.attribute", "is not known")
    with pytest.raises(grpc.RpcError) as raised:
        await world.client.recommend("anna", filter=EVEN)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(raised.value)[1]["field"] == "filter.condition.attribute"


@pytest.mark.parametrize("deadline_s", [0.3, 1.0, None])
@pytest.mark.parametrize("hung", ["retrieval", "ranking", "both"])
async def test_a_hung_part_is_answered_for_within_the_deadline(
    world: World, hung: str, deadline_s: float | None
) -> None:
    await saw(world, "item-059")
    if hung != "ranking":
        world.retrieval.delay_s = 60
    if hung != "retrieval":
        world.ranking.delay_s = 60
    start = time.monotonic()
    answer = await world.client.recommend("anna", timeout_s=deadline_s)
    assert time.monotonic() - start < (deadline_s or 2.0)
    assert len(answer.items) == 10
    assert "item-059" not in ids(answer)
    assert answer.degraded
    if hung != "ranking":
        assert cause(answer, stage_pb2.STAGE_RETRIEVE) == "TIMEOUT"
    if hung != "retrieval":
        assert cause(answer, stage_pb2.STAGE_RANK) == "TIMEOUT"


async def test_a_user_state_that_cannot_be_read_is_flagged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        time.sleep(0.5)

    monkeypatch.setattr("gateway_service.hydrate.read_user_state", slow)
    answer = await world.client.recommend("anna", timeout_s=1.0)
    assert len(answer.items) == 10
    assert cause(answer, stage_pb2.STAGE_HYDRATE) == "TIMEOUT"
    assert answer.degraded


async def test_a_part_that_comes_back_is_used_again_without_a_restart(world: World) -> None:
    await world.retrieval_part.stop()
    await world.ranking_part.stop()
    assert (await world.client.recommend("anna")).degraded
    # They come back without memory; the gateway has them load the release again.
    world.retrieval.releases.clear()
    world.ranking.releases.clear()
    await world.retrieval_part.start()
    await world.ranking_part.start()

    async def healed() -> bool:
        return not (await world.client.recommend("anna")).degraded

    await eventually(healed)


async def test_many_degraded_requests_at_once_are_all_answered(world: World) -> None:
    world.retrieval.delay_s = 60
    answers = await asyncio.gather(
        *(world.client.recommend(f"user-{n}", timeout_s=1.0) for n in range(50))
    )
    assert all(len(answer.items) == 10 for answer in answers)


async def test_a_request_of_long_ago_is_as_good_as_one_of_now(world: World) -> None:
    past = RequestContext(request_time=Timestamp(seconds=0))
    assert len((await world.client.recommend("anna", context=past)).items) == 10


async def test_where_parts_refuse_work_what_is_too_much_is_refused_at_once_with_a_time_to_retry(
    world: World,
) -> None:
    world.ranking.failure, world.ranking.delay_s = Overloaded(0.2), 0.05
    refused: list[grpc.aio.AioRpcError] = []
    async with asyncio.timeout(20):
        while not refused:
            at_once = (world.client.recommend("anna", timeout_s=5) for _ in range(12))
            for answer in await asyncio.gather(*at_once, return_exceptions=True):
                if isinstance(answer, grpc.aio.AioRpcError):
                    refused.append(answer)
                else:
                    assert isinstance(answer, RecommendResponse)
                    assert cause(answer, stage_pb2.STAGE_RANK) == "OVERLOADED"
                    assert answer.items
    assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {reason_of(error)[0] for error in refused} == {error_reason_pb2.ERROR_REASON_OVERLOADED}
    assert all(0 < (retry_after_s(error) or 0) < 5 for error in refused)

    # A few at a time always get in, and with full answers the limit rises again.
    world.ranking.failure, world.ranking.delay_s = None, 0.0
    for _ in range(60):
        at_once = (world.client.recommend("anna", timeout_s=5) for _ in range(4))
        assert not any(answer.degraded for answer in await asyncio.gather(*at_once))
    at_once = (world.client.recommend("anna", timeout_s=5) for _ in range(6))
    assert all(answer.items for answer in await asyncio.gather(*at_once))
