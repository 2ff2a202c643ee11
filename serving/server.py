"""Runs one gRPC server until it is told to stop."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import grpc
import grpc.aio
import uvloop
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from serving.errors import TandemError
from serving.interceptors import ErrorInterceptor
from serving.logs import set_up_logging
from tandem_client.channel import MESSAGE_BYTES_MAX

logger = logging.getLogger(__name__)
DRAIN_S = 5.0
OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Clients may ping as often as tandem_client does.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]


class StartFailed(Exception):
    """The server cannot start. Its text is one line for the operator."""


class Health:
    """Whether the services of this server can do their work. At first they cannot."""

    def __init__(self, service_names: Sequence[str]) -> None:
        self._names = ["", *service_names]
        self.servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]

    async def set_ready(self, ready: bool) -> None:
        """Report SERVING or NOT_SERVING for every service of the server."""
        statuses = health_pb2.HealthCheckResponse
        for name in self._names:
            await self.servicer.set(name, statuses.SERVING if ready else statuses.NOT_SERVING)


Parts = Callable[[grpc.aio.Server, Health], AbstractAsyncContextManager[None]]


def run_server(
    service: str,
    *,
    host: str,
    port: int,
    services: Sequence[ServiceDescriptor],
    parts: Parts,
    reflection_on: bool = True,
    max_in_flight: int = 256,
    share_port: bool = False,
    log_level: str = "INFO",
) -> None:
    """Serve until SIGTERM or SIGINT; exit with one clear line and status 1 if it cannot start.

    For the arguments see `running_server`.
    """
    set_up_logging(service, log_level)

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with running_server(
            host,
            port,
            services,
            parts,
            reflection_on=reflection_on,
            max_in_flight=max_in_flight,
            share_port=share_port,
        ) as bound:
            logger.info("listening on %s:%d", host, bound)
            await stop.wait()
            logger.info("stopping")

    try:
        uvloop.run(serve())
    except (StartFailed, TandemError) as error:
        sys.exit(f"tandem {service}: {error}")


@asynccontextmanager
async def running_server(
    host: str,
    port: int,
    services: Sequence[ServiceDescriptor],
    parts: Parts,
    *,
    reflection_on: bool = True,
    max_in_flight: int = 256,
    share_port: bool = False,
) -> AsyncIterator[int]:
    """Run a server while the context is entered; it yields the port, which is any free one for 0.

    `services` are the contracts that are served, such as
    `info_service_pb2.DESCRIPTOR.services_by_name["InfoService"]`. `parts(server, health)` is
    entered before the server starts: it makes what the service needs, registers the servicers, and
    calls `health.set_ready(True)` then or later from a task of its own. It is left after the last
    call. share_port: whether others that share it may serve on the port too (SO_REUSEPORT); the
    system spreads connections among them. Raises StartFailed.
    """
    _check_free(host, port, share_port=share_port)
    # Unless it is wanted, a second server on a port is an error, no silent sharer of connections.
    options = [*OPTIONS, ("grpc.so_reuseport", int(share_port))]
    server = grpc.aio.server(interceptors=[ErrorInterceptor(max_in_flight)], options=options)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise StartFailed(f"cannot listen on {host}:{port}: {error}") from None
    names = [contract.full_name for contract in services]
    health = Health(names)
    await health.set_ready(False)
    health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
    if reflection_on:
        shown = [*names, "grpc.health.v1.Health", reflection.SERVICE_NAME]
        reflection.enable_server_reflection(shown, server)
    async with parts(server, health):
        await server.start()
        try:
            yield bound
        finally:
            await health.servicer.enter_graceful_shutdown()
            await server.stop(DRAIN_S)


def _check_free(host: str, port: int, *, share_port: bool) -> None:
    """Try the address first: gRPC's own complaint is many lines and does not name the cause."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, share_port)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise StartFailed(f"cannot listen on {host}:{port}: {reason.lower()}") from None
