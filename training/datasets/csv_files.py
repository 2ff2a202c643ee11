"""Files of delimited text as tables of unchecked cells."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from training.datasets.csv_checks import count_quotes, header_of
from training.datasets.errors import DatasetError
from training.datasets.tables import RaggedRow, RawTable, unique_names

# No row may be longer than a block; longer ones are an unclosed quote or no text at all.
BLOCK_BYTES = 32 << 20
# Columns whose cells repeat so often that each distinct one is better held once.
REPEATED = frozenset(
    {
        *("user_id", "item_id", "action", "rating", "split", "label", "utc_offset_minutes"),
        *("userId", "movieId", "tagId", "tag"),
    }
)


def read_csv(
    path: Path,
    *,
    delimiter: str = ",",
    quoted: bool = True,
    names: Sequence[str] | None = None,
    content: bytes | None = None,
    repeated: Collection[str] = REPEATED,
) -> RawTable:
    """Read UTF-8 text with a header; or else, without quotes, `content` with the given names.

    quoted: whether double quotes may hold delimiters and line ends; without it they are
    characters as any other. repeated: columns to hold as dictionaries.
    """
    quotes = 0 if content is not None else count_quotes(path, delimiter, quoted)
    header = list(names) if names else header_of(path, delimiter, quoted)
    ragged: list[RaggedRow] = []
    try:
        cells = pa_csv.read_csv(
            str(path) if content is None else pa.BufferReader(content),
            **_options(header, delimiter, quoted and not names, names, repeated, ragged),
        )
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(path, _problem(error)) from error
    rows = _row_numbers(1 if names else 2, cells.num_rows + len(ragged), ragged)
    if quoted and quotes % 2:
        _refuse_unclosed_quote(path, cells, rows)
    cells = cells.rename_columns(unique_names(path, header)).unify_dictionaries()
    return RawTable(path, cells, rows, ragged)


def read_csv_blocks(path: Path) -> Iterator[RawTable]:
    """Yield a UTF-8 file of comma-separated values with a header block by block.

    For files much larger than what is kept of them. Rows that are ragged come with the first
    block that ends behind them.
    """
    quotes = count_quotes(path, ",", quoted=True)
    header = header_of(path, ",", quoted=True)
    names = unique_names(path, header)
    ragged: list[RaggedRow] = []
    told = 0
    row = 2
    try:
        with pa_csv.open_csv(
            str(path), **_options(header, ",", True, None, REPEATED, ragged)
        ) as reader:
            for batch in reader:
                end = row + batch.num_rows
                while told < len(ragged) and ragged[told].row < end:
                    told += 1
                    end += 1
                inside = [r for r in ragged[:told] if r.row >= row]
                rows = _row_numbers(row, end - row, inside)
                row = end
                cells = pa.Table.from_batches([batch]).rename_columns(names)
                yield RawTable(path, cells, rows, inside)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(path, _problem(error)) from error
    if quotes % 2:
        raise DatasetError(path, "a quote is opened and never closed")
    if rest := ragged[told:]:
        nothing = pa.table({name: pa.array([], type=pa.string()) for name in names})
        yield RawTable(path, nothing, np.zeros(0, dtype=np.int64), rest)


def _options(
    header: Sequence[str],
    delimiter: str,
    quoted: bool,
    names: Sequence[str] | None,
    repeated: Collection[str],
    ragged: list[RaggedRow],
) -> dict[str, Any]:
    """Return how Arrow reads a file; rows of a wrong length go to `ragged`."""

    def skip(row: pa_csv.InvalidRow) -> str:
        reason = f"{row.actual_columns} cells where {row.expected_columns} columns are"
        ragged.append(RaggedRow(row.number, reason, row.text))
        return "skip"

    kinds = {
        name: pa.dictionary(pa.int32(), pa.string()) if name.strip() in repeated else pa.string()
        for name in header
    }
    return {
        # Rows are numbered only where one thread reads.
        "read_options": pa_csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=names
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            invalid_row_handler=skip,
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=kinds,
            strings_can_be_null=False,
            check_utf8=False,
            include_columns=header,
        ),
    }


def _row_numbers(first: int, count: int, without: Sequence[RaggedRow]) -> npt.NDArray[np.int64]:
    numbers = np.arange(first, first + count, dtype=np.int64)
    return np.delete(numbers, [row.row - first for row in without]) if without else numbers


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
