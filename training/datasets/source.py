"""One way to open any data set."""

from pathlib import Path

from training.datasets.cleaning import clean
from training.datasets.directory import read_directory
from training.datasets.errors import DatasetError
from training.datasets.format import Dataset
from training.datasets.movielens import read_movielens

READERS = {"dir": read_directory, "movielens": read_movielens}


def open_dataset(spec: str, *, rejects: Path | None) -> Dataset:
    """Open `PATH`, `dir:PATH` or `movielens:PATH` and clean it.

    rejects: where refused rows are written, as CSV with the columns file, row, reason and raw; the
    file is written even if no row was refused. Raises DatasetError, and writes nothing then, if a
    file cannot be read, lacks a column or has no usable row.
    """
    kind, separator, rest = spec.partition(":")
    if not separator or kind not in READERS:
        kind, rest = "dir", spec
    directory = Path(rest).expanduser()
    if not rest or not directory.is_dir():
        raise DatasetError(rest or spec, "is no directory")
    return clean(READERS[kind](directory), rejects)
