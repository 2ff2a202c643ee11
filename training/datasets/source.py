"""One way to open any data set."""

import time
from pathlib import Path

from training.datasets.cleaning import clean
from training.datasets.directory import read_directory
from training.datasets.errors import DatasetError
from training.datasets.format import Dataset
from training.datasets.movielens import read_movielens
from training.datasets.recbole import read_recbole
from training.datasets.settings import Cleaning

READERS = {"dir": read_directory, "movielens": read_movielens, "recbole": read_recbole}


def open_dataset(
    spec: str, *, rejects: Path | None, cleaning: Cleaning | None = None, now_ms: int | None = None
) -> Dataset:
    """Open `PATH`, `dir:PATH`, `movielens:PATH` or `recbole:PATH` and clean it.

    rejects: where refused rows are written, as CSV with the columns file, row, reason and raw; the
    file is written even if no row was refused. cleaning: what else is removed; nothing by
    default. now_ms: Unix milliseconds after which times are impossible, by default the clock's;
    it changes nothing but the report unless such times are to go. Raises DatasetError, and writes
    nothing then, if a file cannot be read, lacks a column or has no usable row.
    """
    kind, separator, rest = spec.partition(":")
    if not separator or kind not in READERS:
        kind, rest = "dir", spec
    if now_ms is None:
        now_ms = time.time_ns() // 1_000_000
    try:
        directory = Path(rest).expanduser()
        found = bool(rest) and directory.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        # No right to look, a NUL byte, or the home of nobody.
        raise DatasetError(rest, f"is no directory: {error}") from error
    if not found:
        raise DatasetError(rest or spec, "is no directory")
    try:
        raw = READERS[kind](directory)
    except OSError as error:
        raise DatasetError(directory, f"cannot be read: {error}") from error
    return clean(raw, rejects, cleaning or Cleaning(), now_ms)
