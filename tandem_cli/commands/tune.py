"""`tandem tune`: search settings of training within a budget, on validation only."""

import time
from pathlib import Path

import typer

from tandem_cli.commands.encoder import Encoders, Weights
from tandem_cli.commands.train import triton_for
from tandem_cli.dataset_spec import DATASET_HELP, Clean, cleaning_of, need_dataset
from tandem_cli.disk import need_free
from tandem_cli.encoders import prepare_encoder
from tandem_cli.train_settings import SettingsFile, changed_settings
from tandem_cli.training_run import FREE_DISK_MIB, training_run


def tune(
    dataset: str = typer.Option(..., "--dataset", "-d", help=DATASET_HELP),
    budget_minutes: float = typer.Option(..., min=0.1, help="When to stop, all steps counted."),
    trials: int | None = typer.Option(
        None, min=1, help="Trials of each part at most, those of earlier runs counted."
    ),
    work: Path = typer.Option(
        Path("var/tune"), "--work", help="Where studies are kept; a second run goes on there."
    ),
    settings_file: Path | None = SettingsFile,
    changes: list[str] = typer.Option(
        [], "--set", help="A setting of training to begin from, such as seed=1. Repeatable."
    ),
    clean: list[str] = Clean,
    encoder: Path | None = Weights,
    encoders: Path = Encoders,
    encoder_target: str = typer.Option(
        "", help="host:port of a Triton with this encoder. Default: one is started for the time."
    ),
) -> None:
    """Search settings for a data set and write them for `tandem train --settings`.

    First collaborative filtering and the user tower alone, then, with what is left of the budget,
    the ranker on them. Every trial is judged by the NDCG@10 of each user's validation event; the
    last event of each user, by which training reports, is not looked at.
    """
    settings = changed_settings(changes, settings_file)
    cleaning = cleaning_of(clean)
    need_dataset(dataset)
    need_free(work, FREE_DISK_MIB, "tuning")
    start = time.monotonic()
    directory = prepare_encoder(encoder, encoders)

    from training.tuning.run import tune as run

    with training_run() as tell, triton_for(directory, encoder_target) as target:
        file = run(
            dataset,
            work,
            encoder_target=target,
            encoder_directory=directory,
            budget_s=60 * budget_minutes - (time.monotonic() - start),
            trials=trials,
            settings=settings,
            cleaning=cleaning,
            say=tell,
        )
    typer.echo(str(file))
