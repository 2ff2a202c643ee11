"""Files as tables of unchecked cells."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from training.datasets.errors import DatasetError

# No row may be longer than a block; longer ones are an unclosed quote or no text at all.
BLOCK_BYTES = 32 << 20
SUFFIXES = (".csv", ".csv.gz", ".parquet")
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class RaggedRow:
    """A row with more or fewer cells than there are columns."""

    row: int
    reason: str
    raw: str


@dataclass(frozen=True)
class RawTable:
    """The cells of one file: strings from text files, typed columns from Parquet.

    rows: int64 [rows], the number of each row in its file, as DatasetError counts.
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


def find_table(directory: Path, stem: str) -> Path | None:
    """Return the one file of that stem, None if there is none."""
    found = [path for suffix in SUFFIXES if (path := directory / f"{stem}{suffix}").is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DatasetError(directory, f"holds both {names}; keep one")
    return found[0] if found else None


def read_table(path: Path) -> RawTable:
    """Read a CSV or Parquet file whole."""
    return _read_parquet(path) if path.suffix == ".parquet" else read_csv(path)


def read_csv(
    path: Path,
    *,
    delimiter: str = ",",
    names: Sequence[str] | None = None,
    content: bytes | None = None,
) -> RawTable:
    """Read UTF-8 text with a header; or else, without quotes, `content` with the given names."""
    quotes = 0 if content is not None else _count_quotes(path, delimiter)
    header = list(names) if names else _header(path, delimiter)
    first_row = 1 if names else 2
    ragged: list[RaggedRow] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        reason = f"{row.actual_columns} cells where {row.expected_columns} columns are"
        ragged.append(RaggedRow(row.number, reason, row.text))
        return "skip"

    try:
        cells = pa_csv.read_csv(
            str(path) if content is None else pa.BufferReader(content),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False if names else '"',
                newlines_in_values=not names,
                invalid_row_handler=skip,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
                include_columns=header,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise DatasetError(path, _problem(error)) from error
    numbers = np.arange(first_row, first_row + cells.num_rows + len(ragged), dtype=np.int64)
    rows = np.setdiff1d(numbers, [r.row for r in ragged], assume_unique=True)
    if quotes % 2:
        _refuse_unclosed_quote(path, cells, rows)
    return RawTable(path, cells.rename_columns(_unique(path, header)), rows, ragged)


def _open_text(path: Path) -> TextIO:
    """Open a file as text in which bytes that are no UTF-8 stand as lone surrogates."""
    opener = gzip.open if path.suffix == ".gz" else open
    return cast(
        TextIO, opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    )


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in text)


def _count_quotes(path: Path, delimiter: str) -> int:
    """Return how many quotes a file holds; raise DatasetError where it is not UTF-8 text."""
    opener = gzip.open if path.suffix == ".gz" else open
    decoder = codecs.getincrementaldecoder("utf-8")()
    quotes = 0
    try:
        with path.open("rb") as raw:
            if raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC and path.suffix != ".gz":
                raise DatasetError(path, "is compressed by gzip; name it .csv.gz")
        with opener(path, "rb") as stream:
            while block := stream.read(1 << 20):
                quotes += block.count(b'"')
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, delimiter) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(path, f"cannot be read: {error}") from error
    return quotes


def _not_utf8(path: Path, delimiter: str) -> DatasetError:
    problem = "is not UTF-8 text"
    header: list[str] = []
    with _open_text(path) as stream:
        try:
            for row, values in enumerate(filter(None, csv.reader(stream, delimiter=delimiter)), 1):
                header = header or values
                for position, value in enumerate(values):
                    if not _is_utf8(value):
                        named = row > 1 and position < len(header)
                        column = header[position] if named else None
                        return DatasetError(path, problem, row=row, column=column)
        except csv.Error:
            # Cells of no sensible length: there are no rows to tell of.
            return DatasetError(path, problem)
    return DatasetError(path, problem)


def _header(path: Path, delimiter: str) -> list[str]:
    try:
        with _open_text(path) as stream:
            header = next(filter(None, csv.reader(stream, delimiter=delimiter)), None)
    except csv.Error as error:
        raise DatasetError(path, f"cannot be read: {error}", row=1) from error
    if not header:
        raise DatasetError(path, "is empty: there is no header", row=1)
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DatasetError(path, "is there twice", row=1, column=twice)
    return header


def _unique(path: Path, header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    for position, name in enumerate(names):
        if not name or not name.isprintable():
            raise DatasetError(path, f"column {position + 1} has no printable name", row=1)
        if name in names[:position]:
            raise DatasetError(path, "is there twice", row=1, column=name)
    return names


def _refuse_unclosed_quote(path: Path, cells: pa.Table, rows: npt.NDArray[np.int64]) -> None:
    """Raise if the last row is the rest of the file behind a quote that nothing closes."""
    last = cells.slice(max(cells.num_rows - 1, 0)).to_pylist()
    swallowed = [name for row in last for name, value in row.items() if "\n" in value]
    if swallowed:
        raise DatasetError(
            path, "a quote is opened and never closed", row=int(rows[-1]), column=swallowed[-1]
        )


def _problem(error: Exception) -> str:
    if "straddling" in str(error):
        return f"has a row longer than {BLOCK_BYTES >> 20} MiB, or a quote that is never closed"
    return f"cannot be read: {error}"


def _read_parquet(path: Path) -> RawTable:
    try:
        cells = pq.read_table(path, use_threads=False)
        cells.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(path, f"is not a readable Parquet file: {error}") from error
    names = _unique(path, cells.column_names)
    rows = np.arange(1, cells.num_rows + 1, dtype=np.int64)
    return RawTable(path, cells.rename_columns(names), rows)
