"""A whole stack for the time of a measurement, on free ports and with a state of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tandem_cli.stack.ports import LOOPBACK, Ports, free_stack_ports

TANDEM = Path(sys.executable).with_name("tandem")


@dataclass(frozen=True)
class BenchStack:
    """A running stack. state: the directory of its databases. milvus: URI of its Milvus."""

    ports: Ports
    state: Path
    milvus: str

    @property
    def target(self) -> str:
        """The gateway's address."""
        return f"{LOOPBACK}:{self.ports.gateway}"


@contextmanager
def started_stack(release: Path, milvus: str = "") -> Iterator[BenchStack]:
    """Run a stack with a state of its own. milvus: URI of a Milvus, "" to start Milvus Lite."""
    ports = free_stack_ports()
    more = ["--milvus", milvus] if milvus else []
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state"
        where = ["--state", str(state), *ports.options(), *more]
        subprocess.run([TANDEM, "up", "--release", release, "--detach", *where], check=True)
        try:
            yield BenchStack(ports, state, milvus or f"http://{LOOPBACK}:{ports.milvus}")
        finally:
            subprocess.run([TANDEM, "down", "--state", state], check=True)


@contextmanager
def running_stack(release: Path) -> Iterator[str]:
    """Run a stack with a state of its own and give the gateway's address."""
    with started_stack(release) as stack:
        yield stack.target
