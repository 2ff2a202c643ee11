"""The server that every service runs in, with a small service of its own."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.errors import InvalidField, Overloaded
from serving.server import Health, StartFailed, running_server
from tandem.v1 import error_reason_pb2, release_service_pb2
from tandem.v1.release_service_pb2 import (
    ActivateReleaseRequest,
    ActivateReleaseResponse,
    ListReleasesRequest,
    ListReleasesResponse,
    RollbackReleaseRequest,
    RollbackReleaseResponse,
)
from tandem.v1.release_service_pb2_grpc import (
    ReleaseServiceServicer,
    ReleaseServiceStub,
    add_ReleaseServiceServicer_to_server,
)
from tandem_client import reason_of
from tandem_client.channel import open_aio_channel

SERVICES = [release_service_pb2.DESCRIPTOR.services_by_name["ReleaseService"]]


class Faulty(ReleaseServiceServicer):
    async def ActivateRelease(
        self, request: ActivateReleaseRequest, context: object
    ) -> AsyncIterator[ActivateReleaseResponse]:
        yield ActivateReleaseResponse(message="one")
        raise InvalidField("release_uri", "is odd")

    async def RollbackRelease(
        self, request: RollbackReleaseRequest, context: object
    ) -> RollbackReleaseResponse:
        raise ValueError("a secret")

    async def ListReleases(
        self, request: ListReleasesRequest, context: object
    ) -> ListReleasesResponse:
        raise Overloaded(0.25)


@asynccontextmanager
async def parts(server: grpc.aio.Server, health: Health) -> AsyncIterator[None]:
    add_ReleaseServiceServicer_to_server(Faulty(), server)
    yield


@asynccontextmanager
async def faulty_stub() -> AsyncIterator[ReleaseServiceStub]:
    async with running_server("127.0.0.1", 0, SERVICES, parts) as port:
        channel = open_aio_channel(f"127.0.0.1:{port}")
        yield ReleaseServiceStub(channel)
        await channel.close(None)


async def served_by(port: int, connections: int) -> set[bool]:
    """Return whether who answered was ready, over so many connections of their own."""
    found = set()
    for _ in range(connections):
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), wait_for_ready=True
            )
        found.add(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return found


async def test_copies_that_share_a_port_share_its_connections_and_outlive_each_other() -> None:
    @asynccontextmanager
    async def ready(_: grpc.aio.Server, health: Health) -> AsyncIterator[None]:
        await health.set_ready(True)
        yield

    async with running_server("127.0.0.1", 0, SERVICES, ready, share_port=True) as port:
        with pytest.raises(StartFailed, match="address already in use"):
            async with running_server("127.0.0.1", port, SERVICES, parts):
                pass
        async with running_server("127.0.0.1", port, SERVICES, parts, share_port=True) as same:
            assert same == port
            # That all of 40 connections reach one of two copies happens once in 10^12 runs.
            assert await served_by(port, 40) == {True, False}
        assert await served_by(port, 10) == {True}


async def test_an_unknown_exception_is_logged_and_its_text_kept_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with faulty_stub() as stub:
        with pytest.raises(grpc.RpcError) as raised:
            await stub.RollbackRelease(RollbackReleaseRequest())
    error = raised.value
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "secret" not in str(error)
    assert reason_of(error)[0] == error_reason_pb2.ERROR_REASON_INTERNAL
    (logged,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.exc_info is not None
    assert "a secret" in str(logged.exc_info[1])


async def test_a_stream_keeps_what_it_sent_before_an_error() -> None:
    async with faulty_stub() as stub:
        steps = aiter(stub.ActivateRelease(ActivateReleaseRequest()))
        assert (await anext(steps)).message == "one"
        with pytest.raises(grpc.RpcError, match="release_uri: is odd"):
            await anext(steps)


async def test_each_call_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tandem.access"):
        async with faulty_stub() as stub:
            with pytest.raises(grpc.RpcError):
                await stub.ListReleases(ListReleasesRequest())
    (line,) = [r.getMessage() for r in caplog.records if r.name == "tandem.access"]
    assert line.startswith("/tandem.v1.ReleaseService/ListReleases RESOURCE_EXHAUSTED ")


async def test_a_server_is_not_serving_until_it_says_that_it_is_ready() -> None:
    async with running_server("127.0.0.1", 0, SERVICES, parts) as port:
        channel = open_aio_channel(f"127.0.0.1:{port}")
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "tandem.v1.ReleaseService"):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        await channel.close(None)


async def test_a_port_in_use_is_named() -> None:
    async with running_server("127.0.0.1", 0, SERVICES, parts) as port:
        with pytest.raises(StartFailed, match=f"cannot listen on 127.0.0.1:{port}"):
            async with running_server("127.0.0.1", port, SERVICES, parts):
                pass
