"""Files of a data set, found and read by their names."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.datasets.csv_files import read_csv
from training.datasets.errors import DatasetError
from training.datasets.tables import RawTable, unique_names

SUFFIXES = (".csv", ".csv.gz", ".parquet")


def find_table(directory: Path, stem: str) -> Path | None:
    """Return the one file of that stem, None if there is none."""
    found = [path for suffix in SUFFIXES if (path := directory / f"{stem}{suffix}").exists()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DatasetError(directory, f"holds both {names}; keep one")
    return need_file(found[0]) if found else None


def find_parts(directory: Path, stem: str) -> list[Path]:
    """Return `STEM.parquet` and all `STEM-*.parquet`, in the order of their names."""
    return [
        need_file(path)
        for path in sorted(directory.glob(f"{stem}*.parquet"))
        if (path.stem == stem or path.stem.startswith(f"{stem}-"))
    ]


def need_file(path: Path) -> Path:
    """Return the path of a file; raise DatasetError for a directory, a device or nothing."""
    if not path.exists():
        raise DatasetError(path, "is missing")
    if not path.is_file():
        raise DatasetError(path, "is a directory, not a file" if path.is_dir() else "is no file")
    return path


def read_table(path: Path) -> RawTable:
    """Read a CSV or Parquet file whole."""
    return _read_parquet(path) if path.suffix == ".parquet" else read_csv(path)


def _read_parquet(path: Path) -> RawTable:
    try:
        cells = pq.read_table(path, use_threads=False)
        cells.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(path, f"is not a readable Parquet file: {error}") from error
    names = unique_names(path, cells.column_names)
    rows = np.arange(1, cells.num_rows + 1, dtype=np.int64)
    return RawTable(path, cells.rename_columns(names), rows)
