"""A real Triton with the real encoder, for tests."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem_cli.encoder_directory import default_weights, prepare
from tandem_cli.stack.ports import free_ports
from tandem_cli.stack.triton import ROOT, Triton, TritonSettings


def prepared_encoder() -> Path:
    """Return the encoder directory of the default weights; made once, it takes 10 s then."""
    return prepare(default_weights(), ROOT / "var" / "encoders")


def stub_of(server: Triton, model: str) -> int:
    """Return the process id of a model's Python backend."""
    children = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    pids = [int(pid) for each in children for pid in each.read_text().split()]
    return next(pid for pid in pids if model in Path(f"/proc/{pid}/cmdline").read_text())


@contextmanager
def running_triton(
    log_dir: Path, encoder_dir: Path | None = None, image_encoder_dir: Path | None = None
) -> Iterator[Triton]:
    """Run Triton on free ports; `.settings.target` is its gRPC address. Not inside a loop."""
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = TritonSettings(
        encoder_dir=encoder_dir or prepared_encoder(),
        http_port=http_port,
        grpc_port=grpc_port,
        metrics_port=metrics_port,
        log_file=log_dir / "triton.log",
        image_encoder_dir=image_encoder_dir,
    )
    triton = Triton(settings)
    asyncio.run(triton.start())
    try:
        yield triton
    finally:
        asyncio.run(triton.stop())
