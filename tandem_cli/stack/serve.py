"""Serves a release until told to stop: the process behind `tandem up`."""

import asyncio
import signal
import time

import grpc

from features.release import Release
from tandem_cli.console import say
from tandem_cli.failure import CommandFailed
from tandem_cli.gateway import one_line
from tandem_cli.stack.first_ingestion import ingest_first
from tandem_cli.stack.stack import Stack
from tandem_client import AsyncTandemClient

ACTIVATION_TIMEOUT_S = 900.0


async def serve_until_told(stack: Stack, release: Release, ingest: str, clean: list[str]) -> None:
    """Serve until SIGTERM or SIGINT; then stop all parts."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    work = asyncio.create_task(_serve(stack, release, ingest, clean))
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


async def _serve(stack: Stack, release: Release, ingest: str, clean: list[str]) -> None:
    begin = time.monotonic()
    say(f"starting the stack on {stack.settings.state}; logs are in {stack.settings.log_dir}")
    await stack.start()
    target, catalog = stack.gateway.target, stack.retrieval.target
    try:
        async with AsyncTandemClient(target) as client:
            steps = client.activate_release(release.uri, timeout_s=ACTIVATION_TIMEOUT_S)
            async for step in steps:
                say(f"  {step.message}")
        await ingest_first(
            stack.settings.state, target, catalog, release.manifest["dataset"], ingest, clean
        )
    except grpc.RpcError as error:
        raise CommandFailed(one_line(error, target, catalog)) from error
    stack.mark_ready()
    say(f"Tandem serves {release.release_id} at {target} after {time.monotonic() - begin:.0f} s")
    await stack.watch()
