"""`tandem status`: what runs on this machine, and what it holds."""

from pathlib import Path

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich import box
from rich.table import Table
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tandem.v1 import info_service_pb2
from tandem.v1.info_service_pb2 import GetInfoResponse
from tandem_cli.commands.up import State
from tandem_cli.console import out, say
from tandem_cli.failure import CommandFailed
from tandem_cli.stack.record import Part, read_record
from tandem_client import TandemClient
from tandem_client.channel import open_channel

SERVICES = ("gateway", "retrieval", "ranking")
TRITON = "triton"
TIMEOUT_S = 2.0


def status(state: Path = State) -> None:
    """Show health, memory and what each part holds; exit status 1 if one is not healthy."""
    record = read_record(state)
    if record is None or not record.alive():
        raise CommandFailed(f"no stack runs on {state}; start it with `tandem up`")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Part", "Health", "Address", "Pid", "Memory", "Holds"):
        table.add_column(heading, overflow="fold")
    healthy = record.ready
    total = 0
    for part in (record.supervisor, *record.parts):
        health, holds = _look(part)
        healthy = healthy and health in ("serving", "running")
        memory = part.memory_bytes()
        total += memory
        table.add_row(part.name, health, part.address, str(part.pid), _mib(memory), holds)
    out.print(table)
    out.print(f"memory in all: {_mib(total)}")
    if not record.ready:
        say("the stack is still starting")
    if not healthy:
        raise typer.Exit(1)


def _look(part: Part) -> tuple[str, str]:
    """Return a part's health and what it holds, each in a few words."""
    if not part.alive():
        return "ended", ""
    if part.name not in (*SERVICES, TRITON):
        return "running", ""
    try:
        if part.name == TRITON:
            return _look_at_triton(part.address)
        channel = open_channel(part.address)
        with channel, TandemClient(part.address) as client:
            request = health_pb2.HealthCheckRequest()
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
            health = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
            return health.lower().replace("_", " "), _holds(client.get_info(timeout_s=TIMEOUT_S))
    except grpc.RpcError:
        return "does not answer", ""


def _look_at_triton(address: str) -> tuple[str, str]:
    with open_channel(address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        ready = stub.ServerReady(service_pb2.ServerReadyRequest(), timeout=TIMEOUT_S).ready
        index = stub.RepositoryIndex(service_pb2.RepositoryIndexRequest(), timeout=TIMEOUT_S)
    # An image encoder is loaded only where a tower is given.
    wanted = [model for model in index.models if model.state or model.name != "image_encoder"]
    models = sorted(wanted, key=lambda model: model.name)
    lines = [f"{m.name} {m.version} {m.state.lower() or 'not loaded'}" for m in models]
    return "serving" if ready else "not serving", "\n".join(lines)


def _holds(info: GetInfoResponse) -> str:
    lines = []
    for release in info.releases:
        state = info_service_pb2.ReleaseState.Name(release.state).removeprefix("RELEASE_STATE_")
        lag = f", index {release.index_lag} behind" if release.index_lag else ""
        role = " (serves)" if release.release_id == info.current_release_id else ""
        lines.append(f"{release.release_id} {state.lower()}{role}{lag}")
    return "\n".join(lines)


def _mib(count: int) -> str:
    return f"{count / 1024 / 1024:,.0f} MiB"
