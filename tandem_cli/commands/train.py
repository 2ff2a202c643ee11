"""`tandem train`: data set to release."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import typer

from tandem_cli.commands.encoder import Encoders, Weights
from tandem_cli.console import say, timed
from tandem_cli.dataset_spec import need_dataset
from tandem_cli.disk import need_free
from tandem_cli.encoders import prepare_encoder
from tandem_cli.failure import CommandFailed
from tandem_cli.stack.ports import free_ports
from tandem_cli.stack.triton import Triton, TritonSettings

FREE_DISK_MIB = 1024


def train(
    dataset: str = typer.Option(..., "--dataset", "-d", help="DIR or movielens:DIR."),
    out: Path = typer.Option(..., "--out", "-o", help="The release directory to write."),
    seed: int | None = typer.Option(None, help="Seed of everything random."),
    epochs: int | None = typer.Option(None, min=1, help="Passes over the training positions."),
    positions: int | None = typer.Option(None, min=1, help="Training positions at most."),
    encoder: Path | None = Weights,
    encoders: Path = Encoders,
    encoder_target: str = typer.Option(
        "", help="host:port of a Triton with this encoder. Default: one is started for the time."
    ),
) -> None:
    """Clean the data, train, evaluate, and write a release."""
    # A mistake in the arguments is told before torch is loaded.
    if out.exists():
        raise CommandFailed(f"{out} exists already; a release is never overwritten")
    need_dataset(dataset)
    need_free(out, FREE_DISK_MIB, "training")
    directory = prepare_encoder(encoder, encoders)

    # Its own progress is told; bars of the libraries would run through it.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from training.datasets import DatasetError
    from training.errors import TrainingError
    from training.run import train as run
    from training.settings import TrainSettings

    given = {"seed": seed, "epochs": epochs, "positions": positions}
    settings = TrainSettings(**{name: value for name, value in given.items() if value is not None})
    start = time.monotonic()

    def tell(message: str) -> None:
        for line in message.splitlines():
            say(f"{time.monotonic() - start:6.0f} s  {line}")

    try:
        with triton_for(directory, encoder_target) as target:
            run(
                dataset,
                out,
                encoder_target=target,
                encoder_directory=directory,
                settings=settings,
                say=tell,
            )
    except (DatasetError, TrainingError) as error:
        raise CommandFailed(str(error)) from error
    except grpc.RpcError as error:
        raise CommandFailed(f"the text encoder failed: {error}") from error


@contextmanager
def triton_for(directory: Path, target: str) -> Iterator[str]:
    """Give the address of a Triton with an encoder; one of our own, unless a target is given."""
    if target:
        yield target
        return
    http_port, grpc_port, metrics_port = free_ports(3)
    log_file = Path("var/log/triton-train.log")
    triton = Triton(TritonSettings(directory, http_port, grpc_port, metrics_port, log_file))
    try:
        with timed("starting Triton"):
            asyncio.run(triton.start())
        yield triton.settings.target
    finally:
        asyncio.run(triton.stop())
