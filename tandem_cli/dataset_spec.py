"""Data set specs, as far as can be said without opening the data set."""

from pathlib import Path

from tandem_cli.failure import CommandFailed


def need_dataset(spec: str) -> None:
    """Raise CommandFailed if the directory of `DIR` or `kind:DIR` is not there."""
    path = Path(spec) if Path(spec).exists() else Path(spec.rpartition(":")[2])
    if not path.expanduser().is_dir():
        raise CommandFailed(f"there is no data set directory {path}")
