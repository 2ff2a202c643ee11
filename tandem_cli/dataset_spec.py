"""Data set specs and cleaning, as far as can be said without opening the data set."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tandem_cli.failure import CommandFailed

if TYPE_CHECKING:
    from training.datasets.settings import Cleaning

DATASET_HELP = "DIR, movielens:DIR or recbole:DIR."
Clean = typer.Option(
    [],
    "--clean",
    help="What goes from the data besides byte-equal rows: drop_bots, drop_impossible_times or "
    "k_core=N. Repeatable; nothing by default.",
)
REMOVALS = ("drop_bots", "drop_impossible_times")


def need_dataset(spec: str) -> None:
    """Raise CommandFailed if the directory of `DIR` or `kind:DIR` is not there."""
    path = Path(spec) if Path(spec).exists() else Path(spec.rpartition(":")[2])
    if not path.expanduser().is_dir():
        raise CommandFailed(f"there is no data set directory {path}")


def cleaning_of(words: list[str]) -> "Cleaning":
    """Return the cleaning that `--clean` asked for; raise CommandFailed for any other word."""
    from training.datasets.settings import Cleaning

    removals = {word: True for word in words if word in REMOVALS}
    core = 0
    for word in words:
        name, _, size = word.partition("=")
        if name == "k_core" and size.isascii() and size.isdecimal():
            core = int(size)
        elif word not in REMOVALS:
            allowed = ", ".join((*REMOVALS, "k_core=N"))
            raise CommandFailed(f"--clean {word}: it takes {allowed}")
    return Cleaning(k_core=core, **removals)
