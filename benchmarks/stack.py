"""A whole stack for the time of a measurement, on free ports and with a state of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem_cli.stack.ports import LOOPBACK, Ports, free_stack_ports

TANDEM = Path(sys.executable).with_name("tandem")


@contextmanager
def running_stack(release: Path) -> Iterator[str]:
    """Run a stack with a state of its own and give the gateway's address."""
    with stack_on_ports(release) as ports:
        yield f"{LOOPBACK}:{ports.gateway}"


@contextmanager
def stack_on_ports(release: Path) -> Iterator[Ports]:
    """Run a stack with a state of its own and give the ports of its parts."""
    ports = free_stack_ports()
    with tempfile.TemporaryDirectory() as directory:
        state = ["--state", f"{directory}/state"]
        subprocess.run(
            [TANDEM, "up", "--release", release, "--detach", *state, *ports.options()], check=True
        )
        try:
            yield ports
        finally:
            subprocess.run([TANDEM, "down", *state], check=True)
