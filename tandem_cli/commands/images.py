"""`tandem images`: vectors of images, by an image tower."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import typer

from features.item_vectors import SPACE_NAME, TAKEN_NAMES
from tandem_cli.commands.encoder import Encoders
from tandem_cli.console import timed
from tandem_cli.encoders import prepare_image_tower
from tandem_cli.failure import CommandFailed

app = typer.Typer(help="Compute vectors of images.", no_args_is_help=True)

Tower = typer.Argument(..., help="Hugging Face directory of an image tower.")


@app.callback()
def callback() -> None:
    """Compute vectors of images."""


@app.command("prepare")
def prepare(tower: Path = Tower, encoders: Path = Encoders) -> None:
    """Make of an image tower what Triton's image_encoder loads; print the directory."""
    typer.echo(str(prepare_image_tower(tower, encoders)))


@app.command("encode")
def encode(
    dataset: Path = typer.Argument(..., help="Data set with an images.csv of item_id and file."),
    tower: Path | None = typer.Option(None, help="Hugging Face directory of an image tower."),
    space: str = typer.Option("images", help="The space that the vectors are of."),
    encoders: Path = Encoders,
    target: str = typer.Option(
        "", help="host:port of a Triton with this tower. Default: one is started for the time."
    ),
) -> None:
    """Write vectors of a data set's images beside its items, for `train` and `ingest`."""
    if not SPACE_NAME.fullmatch(space) or space in TAKEN_NAMES:
        taken = ", ".join(sorted(TAKEN_NAMES))
        raise CommandFailed(f"--space must match {SPACE_NAME.pattern} and be none of {taken}")
    if (tower is None) == (not target):
        raise CommandFailed("give either --tower or --target")
    from tandem_cli.images.encode import encode_images

    with _triton(tower, encoders, target) as address:
        try:
            out = encode_images(dataset, space, address)
        except grpc.RpcError as error:
            raise CommandFailed(f"the image encoder failed: {error}") from error
    typer.echo(str(out))


@contextmanager
def _triton(tower: Path | None, encoders: Path, target: str) -> Iterator[str]:
    """Give the address of a Triton with a tower: one of our own, unless a target is given."""
    if tower is None:
        yield target
        return
    from tandem_cli.stack.ports import free_ports
    from tandem_cli.stack.triton import Triton, TritonSettings

    directory = prepare_image_tower(tower, encoders)
    log_file = Path("var/log/triton-images.log")
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = TritonSettings(
        None,
        http_port,
        grpc_port,
        metrics_port,
        log_file,
        user_encoder=False,
        image_encoder_dir=directory,
    )
    triton = Triton(settings)
    try:
        with timed("starting Triton"):
            asyncio.run(triton.start())
        yield triton.settings.target
    finally:
        asyncio.run(triton.stop())
