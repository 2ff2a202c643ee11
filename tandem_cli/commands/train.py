"""`tandem train`: data set to release."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.release import open_release
from serving.errors import ReleaseUnusable
from tandem_cli.commands.encoder import Encoders, Weights
from tandem_cli.commands.train_encoder import train_encoder
from tandem_cli.console import timed
from tandem_cli.dataset_spec import DATASET_HELP, Clean, cleaning_of, need_dataset
from tandem_cli.disk import need_free
from tandem_cli.encoders import prepare_encoder
from tandem_cli.failure import CommandFailed
from tandem_cli.from_events import fetch_logged
from tandem_cli.gateway import CatalogTarget, Target
from tandem_cli.group import CommandWithCommands
from tandem_cli.stack.ports import free_ports
from tandem_cli.stack.triton import Triton, TritonSettings
from tandem_cli.train_settings import SettingsFile, changed_settings
from tandem_cli.training_run import FREE_DISK_MIB, training_run

if TYPE_CHECKING:
    from training.progress import Say

app = typer.Typer(cls=CommandWithCommands, invoke_without_command=True)
app.command("encoder")(train_encoder)


@app.callback()
def train(
    context: typer.Context,
    dataset: str = typer.Option("", "--dataset", "-d", help=DATASET_HELP),
    from_events: bool = typer.Option(
        False,
        "--from-events",
        help="Train on what a running stack has logged, beginning with the release that serves.",
    ),
    relations: Path | None = typer.Option(
        None,
        exists=True,
        dir_okay=False,
        help="With --from-events: the relations table of the items, .csv, .csv.gz or .parquet.",
    ),
    out: Path = typer.Option(..., "--out", "-o", help="The release directory to write."),
    settings_file: Path | None = SettingsFile,
    changes: list[str] = typer.Option(
        [], "--set", help="A setting of training, such as epochs=2 or seed=1. Repeatable."
    ),
    clean: list[str] = Clean,
    warm_start: Path | None = typer.Option(
        None, help="A release to begin with, of these data or of another domain."
    ),
    tensorboard: Path | None = typer.Option(
        None, help="Where to write losses, validation, learning rate and throughput of training."
    ),
    work: Path | None = typer.Option(
        None, help="Where progress is kept until the release is written. Default: beside --out."
    ),
    against: Path | None = typer.Option(
        None,
        help="A release to stand beside on events new to both; a new one that is clearly worse is "
        "refused when it is activated. Default with --from-events: the one that serves.",
    ),
    restart: bool = typer.Option(
        False, "--restart", help="Begin anew rather than go on from the progress that was kept."
    ),
    encoder: Path | None = Weights,
    encoders: Path = Encoders,
    encoder_target: str = typer.Option(
        "", help="host:port of a Triton with this encoder. Default: one is started for the time."
    ),
    target: str = Target,
    catalog_target: str = CatalogTarget,
) -> None:
    """Clean the data, train, evaluate, and write a release."""
    if context.invoked_subcommand is not None:
        return
    # A mistake in the arguments is told before torch is loaded.
    settings = changed_settings(changes, settings_file)
    cleaning = cleaning_of(clean)
    if out.exists():
        raise CommandFailed(f"{out} exists already; a release is never overwritten")
    if from_events == bool(dataset):
        raise CommandFailed("give either --dataset or --from-events")
    if relations is not None and not from_events:
        raise CommandFailed("--relations goes with --from-events; a data set has its own")
    for option, release in (("--warm-start", warm_start), ("--against", against)):
        if release is not None:
            need_release(option, release)
    logged = None
    if from_events:
        logged = fetch_logged(target, catalog_target, out, relations=relations, restart=restart)
        dataset = str(logged.directory)
        warm_start, against = warm_start or logged.live, against or logged.live
    need_dataset(dataset)
    need_free(out, FREE_DISK_MIB, "training")
    directory = prepare_encoder(encoder, encoders)

    from training.run import train as run

    with (
        training_run() as tell,
        triton_for(directory, encoder_target) as triton,
        tracker(tell, tensorboard) as told,
    ):
        run(
            dataset,
            out,
            encoder_target=triton,
            encoder_directory=directory,
            settings=settings,
            cleaning=cleaning,
            warm=warm_start,
            against=against,
            work=work,
            restart=restart,
            say=told,
        )
    if logged is not None:
        # It is of users; nothing that was logged stays beside the release.
        shutil.rmtree(logged.directory)


def need_release(option: str, directory: Path) -> None:
    """Raise CommandFailed unless a directory holds a release whose files are as they were."""
    try:
        open_release(directory)
    except ReleaseUnusable as error:
        raise CommandFailed(f"{option}: {error}") from error


@contextmanager
def tracker(tell: "Say", directory: Path | None) -> Iterator["Say"]:
    """Give what tells of training and, with a directory, writes its numbers for TensorBoard."""
    if directory is None:
        yield tell
        return
    from torch.utils.tensorboard import SummaryWriter

    from training.progress import Tracker

    with SummaryWriter(str(directory)) as writer:
        yield Tracker(tell, writer.add_scalar)


@contextmanager
def triton_for(directory: Path, target: str) -> Iterator[str]:
    """Give the address of a Triton with an encoder; one of our own, unless a target is given."""
    if target:
        yield target
        return
    http_port, grpc_port, metrics_port = free_ports(3)
    log_file = Path("var/log/triton-train.log")
    settings = TritonSettings(
        directory, http_port, grpc_port, metrics_port, log_file, user_encoder=False
    )
    triton = Triton(settings)
    try:
        with timed("starting Triton"):
            asyncio.run(triton.start())
        yield triton.settings.target
    finally:
        asyncio.run(triton.stop())
