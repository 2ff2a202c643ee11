"""`tandem up`: start the whole stack on this machine."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import grpc
import typer

from features.release import Release, ReleaseUnusable, open_release
from tandem_cli.commands.encoder import Encoders
from tandem_cli.console import say
from tandem_cli.dataset_spec import need_dataset
from tandem_cli.encoders import encoder_of
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import one_line
from tandem_cli.stack.detached import start_detached
from tandem_cli.stack.first_ingestion import ingest_first
from tandem_cli.stack.record import read_record
from tandem_cli.stack.serving_release import serving_release
from tandem_cli.stack.stack import Ports, Stack, StackSettings
from tandem_client import AsyncTandemClient

ACTIVATION_TIMEOUT_S = 900.0
State = typer.Option(Path("var/state"), "--state", help="Directory of databases and index.")


def up(
    release: Path | None = typer.Option(
        None, "--release", "-r", help="Release directory. Default: the one that served last."
    ),
    state: Path = State,
    detach: bool = typer.Option(False, "--detach", help="Return once it serves."),
    ingest: str = typer.Option(
        "auto",
        help="Data set to ingest, `never`, or `auto`: the release's, if the state is new.",
    ),
    milvus: str = typer.Option("", help="URI of a Milvus. Default: Milvus Lite is started."),
    gateway_port: int = typer.Option(50051, help="Port of the gateway."),
    retrieval_port: int = typer.Option(50052, help="Port of the retrieval service."),
    ranking_port: int = typer.Option(50053, help="Port of the ranking service."),
    triton_http_port: int = typer.Option(8000, help="Triton's port for HTTP."),
    triton_grpc_port: int = typer.Option(8001, help="Triton's port for gRPC."),
    triton_metrics_port: int = typer.Option(8002, help="Triton's port for metrics."),
    milvus_port: int = typer.Option(19530, help="Port of Milvus Lite."),
    encoders: Path = Encoders,
) -> None:
    """Start Triton, Milvus and the three services, and serve a release."""
    refuse_second_stack(state)
    if ingest not in ("auto", "never"):
        need_dataset(ingest)
    opened = release_to_serve(release, state)
    settings = StackSettings(
        state=state,
        encoder_dir=encoder_of(opened, encoders),
        milvus_uri=milvus,
        ports=Ports(
            gateway=gateway_port,
            retrieval=retrieval_port,
            ranking=ranking_port,
            triton_http=triton_http_port,
            triton_grpc=triton_grpc_port,
            triton_metrics=triton_metrics_port,
            milvus=milvus_port,
        ),
    )
    if detach:
        arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
        start_detached(arguments, state, settings.log_dir / "up.log")
    else:
        asyncio.run(serve_until_told(Stack(settings), opened, ingest))


def refuse_second_stack(state: Path) -> None:
    """Raise CommandFailed if a stack runs on a state directory already."""
    record = read_record(state)
    alive = record.alive() if record is not None else []
    if alive:
        names = ", ".join(f"{part.name} ({part.pid})" for part in alive)
        raise CommandFailed(f"a stack runs on {state} already: {names}; stop it with `tandem down`")


def release_to_serve(given: Path | None, state: Path) -> Release:
    """Open the release that is given or, if none is, the one that served last."""
    uri = given or serving_release(state / "gateway" / "users.db")
    if uri is None:
        raise CommandFailed("no release: name one with --release; `tandem train` makes them")
    try:
        return open_release(uri)
    except ReleaseUnusable as error:
        raise CommandFailed(str(error)) from error


async def serve_until_told(stack: Stack, release: Release, ingest: str) -> None:
    """Serve until SIGTERM or SIGINT; then stop all parts."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    work = asyncio.create_task(_serve(stack, release, ingest))
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if told.is_set():
            say("stopping")
        waiting.cancel()
        work.cancel()
        await asyncio.wait({work})
        await stack.stop()
    if not work.cancelled():
        work.result()


async def _serve(stack: Stack, release: Release, ingest: str) -> None:
    begin = time.monotonic()
    say(f"starting the stack on {stack.settings.state}; logs are in {stack.settings.log_dir}")
    await stack.start()
    target, catalog = stack.gateway.target, stack.retrieval.target
    try:
        async with AsyncTandemClient(target) as client:
            steps = client.activate_release(release.uri, timeout_s=ACTIVATION_TIMEOUT_S)
            async for step in steps:
                say(f"  {step.message}")
        spec = release.manifest["dataset"]["spec"]
        await ingest_first(stack.settings.state, target, catalog, spec, ingest)
    except grpc.RpcError as error:
        raise CommandFailed(one_line(error, target, catalog)) from error
    stack.mark_ready()
    say(f"Tandem serves {release.release_id} at {target} after {time.monotonic() - begin:.0f} s")
    await stack.watch()
