"""The three services as children of the command."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tandem_cli.stack.ports import LOOPBACK, require_free
from tandem_cli.stack.process import ManagedProcess
from tandem_client import AsyncTandemClient

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 10.0


class Startable(Protocol):
    """A part of the stack: Triton, Milvus Lite or a service."""

    @property
    def process(self) -> ManagedProcess:
        """Its process."""

    async def start(self) -> None:
        """Start it and wait until it answers; leave nothing behind if that fails."""

    async def stop(self) -> None:
        """Stop it."""


class Service:
    """`python -m <name>_service` on one port of the loopback interface."""

    def __init__(self, name: str, port: int, settings: Mapping[str, object], log_dir: Path) -> None:
        """settings: fields of the service's `Settings`, passed through its environment."""
        self.name = name
        self.port = port
        prefix = f"TANDEM_{name.upper()}"
        environment = {f"{prefix}_{field.upper()}": str(value) for field, value in settings.items()}
        self.process = ManagedProcess(
            name,
            [sys.executable, "-m", f"{name}_service"],
            log_file=log_dir / f"{name}.log",
            env={f"{prefix}_HOST": LOOPBACK, f"{prefix}_PORT": str(port), **environment},
        )

    @property
    def target(self) -> str:
        """The address, `host:port`."""
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start the service and wait until it answers GetInfo."""
        require_free(self.port, self.name)
        self.process.start()
        try:
            async with AsyncTandemClient(self.target) as client:
                await self.process.wait_until_ready(lambda: _answers(client), START_TIMEOUT_S)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the service; calls that are under way are finished first."""
        await self.process.stop(STOP_TIMEOUT_S)


async def _answers(client: AsyncTandemClient) -> bool:
    await client.get_info(timeout_s=1.0)
    return True
