"""A whole stack for the time of a measurement, on free ports and with a state of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem_cli.stack.ports import free_ports

TANDEM = Path(sys.executable).with_name("tandem")
PORTS = (
    "gateway",
    "retrieval",
    "ranking",
    "triton-http",
    "triton-grpc",
    "triton-metrics",
    "milvus",
)


@contextmanager
def running_stack(release: Path) -> Iterator[str]:
    """Run a stack with a state of its own and give the gateway's address."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    options = [part for name, port in ports.items() for part in (f"--{name}-port", str(port))]
    with tempfile.TemporaryDirectory() as directory:
        state = ["--state", f"{directory}/state"]
        subprocess.run(
            [TANDEM, "up", "--release", release, "--detach", *state, *options], check=True
        )
        try:
            yield f"127.0.0.1:{ports['gateway']}"
        finally:
            subprocess.run([TANDEM, "down", *state], check=True)
