"""Activating releases and rolling back through a real gateway."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tandem.v1 import error_reason_pb2, event_pb2, info_service_pb2
from tandem.v1.event_pb2 import Event
from tandem_client import reason_of
from tandem_client.channel import open_aio_channel
from tests.support.gateway import World, eventually, running_gateway, running_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


async def serving_release(world: World) -> str:
    return (await world.client.recommend("anna")).release_id


async def health(target: str, service: str) -> int:
    channel = open_aio_channel(target)
    request = health_pb2.HealthCheckRequest(service=service)
    answer = await health_pb2_grpc.HealthStub(channel).Check(request)
    await channel.close(None)
    status: int = answer.status
    return status


async def test_an_activation_tells_its_steps_and_ends_with_the_flip(world: World) -> None:
    world.retrieval.looks_until_ready = 2
    uri = world.release("first")
    steps = [step async for step in world.client.activate_release(uri)]
    assert [step.activated for step in steps] == [False] * (len(steps) - 1) + [True]
    messages = [step.message for step in steps]
    assert "retrieval: loading" in messages
    assert "retrieval: ready" in messages
    assert "ranking: ready" in messages
    assert await serving_release(world) == "first"


async def test_requests_go_on_while_a_release_loads(world: World) -> None:
    await world.activate("first")
    world.ranking.looks_until_ready = 4
    uri = world.release("second")

    async def drain() -> None:
        async for _ in world.client.activate_release(uri):
            pass

    activation = asyncio.create_task(drain())
    served: list[str] = []
    while not activation.done():
        answer = await world.client.recommend("anna")
        assert not answer.degraded
        served.append(answer.release_id)
        await asyncio.sleep(0.01)
    await activation
    assert served[0] == "first"
    assert await serving_release(world) == "second"


async def test_only_current_and_previous_stay_loaded(world: World) -> None:
    for release_id in ("first", "second", "third"):
        await world.activate(release_id)
    assert set(world.retrieval.releases) == set(world.ranking.releases) == {"second", "third"}
    listed = await world.client.list_releases()
    assert [release.release_id for release in listed.releases] == ["third", "second", "first"]
    assert (listed.current_release_id, listed.previous_release_id) == ("third", "second")
    states = [release.state for release in listed.releases]
    assert states == [
        info_service_pb2.RELEASE_STATE_READY,
        info_service_pb2.RELEASE_STATE_READY,
        info_service_pb2.RELEASE_STATE_UNSPECIFIED,
    ]


async def test_a_rollback_swaps_current_and_previous(world: World) -> None:
    await world.activate("first")
    await world.activate("second")
    answer = await world.client.rollback_release()
    assert (answer.current_release_id, answer.previous_release_id) == ("first", "second")
    assert await serving_release(world) == "first"
    answer = await world.client.rollback_release()
    assert answer.current_release_id == "second"


async def test_without_a_previous_release_there_is_nothing_to_roll_back_to(world: World) -> None:
    await world.activate("first")
    with pytest.raises(grpc.RpcError) as raised:
        await world.client.rollback_release()
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


async def test_a_release_that_is_missing_or_altered_is_refused_and_nothing_changes(
    world: World,
) -> None:
    await world.activate("first")
    altered = Path(world.release("second"))
    (altered / "fallback.json").write_text("[]")
    for uri, problem in [
        (str(world.directory / "nowhere"), "is no release"),
        (str(altered), "does not match its hash"),
    ]:
        with pytest.raises(grpc.RpcError, match=problem) as raised:
            _ = [step async for step in world.client.activate_release(uri)]
        assert raised.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        reason, _ = reason_of(raised.value)
        assert reason == error_reason_pb2.ERROR_REASON_RELEASE_UNUSABLE
    assert await serving_release(world) == "first"
    assert set(world.retrieval.releases) == {"first"}


async def test_a_release_that_one_service_cannot_load_is_unloaded_from_the_other(
    world: World,
) -> None:
    await world.activate("first")
    world.ranking.fails_to_load = True
    with pytest.raises(grpc.RpcError, match="ranking could not load it: the fake was told"):
        _ = [step async for step in world.client.activate_release(world.release("second"))]
    world.ranking.fails_to_load = False
    assert "second" not in world.retrieval.releases
    assert "second" not in world.ranking.releases
    assert await serving_release(world) == "first"


async def test_a_service_that_is_down_stops_the_activation(world: World) -> None:
    await world.activate("first")
    await world.ranking_part.stop()
    with pytest.raises(grpc.RpcError, match="ranking is unavailable") as raised:
        _ = [step async for step in world.client.activate_release(world.release("second"))]
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert await serving_release(world) == "first"


async def test_an_activation_that_the_caller_gives_up_leaves_everything_as_it_was(
    world: World,
) -> None:
    await world.activate("first")
    world.ranking.looks_until_ready = 10_000
    uri = world.release("second")
    with pytest.raises(grpc.RpcError):
        _ = [step async for step in world.client.activate_release(uri, timeout_s=0.5)]

    async def unloaded() -> bool:
        return "second" not in world.ranking.releases | world.retrieval.releases

    await eventually(unloaded)
    assert await serving_release(world) == "first"
    # The next one is not held up by it.
    world.ranking.looks_until_ready = 0
    await world.activate("third")


async def test_another_gateway_follows_the_pointer(world: World) -> None:
    await world.activate("first")
    async with running_gateway(world.settings) as (other, _):
        assert (await other.recommend("anna")).release_id == "first"
        await world.activate("second")

        async def follows() -> bool:
            return (await other.recommend("anna")).release_id == "second"

        await eventually(follows)


async def test_the_pointer_survives_a_restart_and_lost_releases_are_loaded_again(
    world: World,
) -> None:
    await world.activate("first")
    await world.activate("second")
    world.ranking.releases.clear()
    async with running_gateway(world.settings) as (other, target):

        async def healed() -> bool:
            return set(world.ranking.releases) == {"first", "second"}

        await eventually(healed)

        async def ready() -> bool:
            serving: int = health_pb2.HealthCheckResponse.SERVING
            return await health(target, "") == serving

        await eventually(ready)
        assert not (await other.recommend("anna")).degraded


async def test_health_is_serving_once_a_release_is_ready_and_stays_so(world: World) -> None:
    statuses = health_pb2.HealthCheckResponse
    service = "tandem.v1.RecommenderService"
    assert await health(world.target, service) == statuses.NOT_SERVING
    await world.activate("first")

    async def ready() -> bool:
        serving: int = statuses.SERVING
        return await health(world.target, service) == serving

    await eventually(ready)
    await world.ranking_part.stop()
    await asyncio.sleep(0.5)
    assert await health(world.target, service) == statuses.SERVING
    assert await health(world.target, "") == statuses.SERVING


async def test_a_release_whose_directory_is_gone_is_named_and_events_are_still_taken(
    world: World,
) -> None:
    await world.activate("first")
    shutil.rmtree(world.directory / "first")
    async with running_gateway(world.settings) as (other, _):
        with pytest.raises(grpc.RpcError, match="is no release") as raised:
            await other.recommend("anna")
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
        event = Event(user_id="anna", item_id="a", action=event_pb2.ACTION_VIEW)
        assert (await other.record_events([event])).recorded_count == 1


async def test_reflection_lists_the_services_that_are_served(world: World) -> None:
    channel = open_aio_channel(world.target)
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in stub.ServerReflectionInfo(iter([request])):
        names = {service.name for service in answer.list_services_response.service}
    await channel.close(None)
    assert {name for name in names if name.startswith("tandem")} == {
        "tandem.v1.EventService",
        "tandem.v1.InfoService",
        "tandem.v1.RecommenderService",
        "tandem.v1.ReleaseService",
        "tandem.v1.UserService",
    }
