"""A whole stack for the time of a measurement, on free ports and with a state of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tandem_cli.stack.ports import Ports, free_stack_ports

TANDEM = Path(sys.executable).with_name("tandem")


@dataclass(frozen=True)
class BenchStack:
    """A running stack. state: the directory of its databases."""

    ports: Ports
    state: Path

    @property
    def target(self) -> str:
        """The gateway's address."""
        return f"127.0.0.1:{self.ports.gateway}"


@contextmanager
def started_stack(release: Path) -> Iterator[BenchStack]:
    """Run a stack with a state of its own."""
    ports = free_stack_ports()
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state"
        subprocess.run(
            [TANDEM, "up", "--release", release, "--detach", "--state", state, *ports.options()],
            check=True,
        )
        try:
            yield BenchStack(ports, state)
        finally:
            subprocess.run([TANDEM, "down", "--state", state], check=True)


@contextmanager
def running_stack(release: Path) -> Iterator[str]:
    """Run a stack with a state of its own and give the gateway's address."""
    with started_stack(release) as stack:
        yield stack.target
