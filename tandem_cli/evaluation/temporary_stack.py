"""A whole stack on free ports and a state directory that goes when it is stopped."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from features.release import Release
from tandem_cli.console import say
from tandem_cli.stack.ports import free_stack_ports
from tandem_cli.stack.record import read_record
from tandem_cli.stack.stack import Stack, StackSettings
from tandem_client import AsyncTandemClient
from training.evaluation.served import Addresses

ACTIVATION_TIMEOUT_S = 900.0
PREFIX = "stack-"
MIB = 1024 * 1024


class TemporaryStack:
    """A running stack.

    at: where its services are. encoder: address of its Triton. memory_mib: the most that
    `note_memory` saw of each part.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.at = Addresses(stack.gateway.target, stack.retrieval.target, stack.ranking.target)
        self.encoder = stack.triton.settings.target
        self.memory_mib: dict[str, float] = {}

    def note_memory(self) -> None:
        """Look at how much memory each part holds, shared memory in equal shares."""
        record = read_record(self._stack.settings.state)
        for part in record.parts if record is not None else []:
            now = round(part.memory_bytes() / MIB, 1)
            self.memory_mib[part.name] = max(now, self.memory_mib.get(part.name, 0.0))


@asynccontextmanager
async def temporary_stack(
    release: Release, encoder_directory: Path, parent: Path
) -> AsyncIterator[TemporaryStack]:
    """Run a stack that serves a release; nothing of it is left afterwards.

    Its parts end with this process. What a killed process left in `parent` is removed.
    """
    directory = _fresh_directory(parent)
    stack = Stack(StackSettings(directory / "state", encoder_directory, free_stack_ports()))
    try:
        await stack.start()
        async with AsyncTandemClient(stack.gateway.target) as client:
            steps = client.activate_release(release.uri, timeout_s=ACTIVATION_TIMEOUT_S)
            async for step in steps:
                say(f"  {step.message}")
        watching = asyncio.create_task(stack.watch())
        try:
            yield TemporaryStack(stack)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
    finally:
        await stack.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _fresh_directory(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
