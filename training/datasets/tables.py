"""Tables of unchecked cells, as they were in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from training.datasets.errors import DatasetError


@dataclass(frozen=True)
class RaggedRow:
    """A row with more or fewer cells than there are columns."""

    row: int
    reason: str
    raw: str


@dataclass(frozen=True)
class RawTable:
    """The cells of one file: strings from text files, typed columns from Parquet.

    Strings that repeat may be dictionaries. rows: int64 [rows], the number of each row in its file,
    as DatasetError counts.
    """

    file: Path
    cells: pa.Table
    rows: npt.NDArray[np.int64]
    ragged: Sequence[RaggedRow] = ()

    def require(self, *columns: str) -> None:
        """Raise DatasetError unless all the columns are there."""
        for column in columns:
            if column not in self.cells.column_names:
                found = ", ".join(self.cells.column_names)
                raise DatasetError(self.file, f"missing; found {found}", column=column)

    def rename(self, names: dict[str, str]) -> "RawTable":
        """Return the table with the named columns alone, under their new names."""
        self.require(*names)
        cells = self.cells.select(list(names)).rename_columns(list(names.values()))
        return RawTable(self.file, cells, self.rows, self.ragged)


def unique_names(path: Path, header: Sequence[str]) -> list[str]:
    """Return the trimmed names of columns; raise DatasetError for a bad or repeated one."""
    names = [name.strip() for name in header]
    for position, name in enumerate(names):
        if not name or not name.isprintable():
            raise DatasetError(path, f"column {position + 1} has no printable name", row=1)
        if name in names[:position]:
            raise DatasetError(path, "is there twice", row=1, column=name)
    return names
