"""What is checked of delimited text before it is read as a table."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from training.datasets.errors import DatasetError

GZIP_MAGIC = b"\x1f\x8b"


def _open_text(path: Path) -> TextIO:
    """Open a file as text in which bytes that are no UTF-8 stand as lone surrogates."""
    opener = gzip.open if path.suffix == ".gz" else open
    return cast(
        TextIO, opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    )


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in text)


def count_quotes(path: Path, delimiter: str, quoted: bool) -> int:
    """Return how many quotes a file holds; raise DatasetError where it is not UTF-8 text."""
    opener = gzip.open if path.suffix == ".gz" else open
    decoder = codecs.getincrementaldecoder("utf-8")()
    quotes = 0
    try:
        with path.open("rb") as raw:
            if raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC and path.suffix != ".gz":
                raise DatasetError(path, f"is compressed by gzip; name it {path.name}.gz")
        with opener(path, "rb") as stream:
            while block := stream.read(1 << 20):
                quotes += block.count(b'"')
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, delimiter, quoted) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(path, f"cannot be read: {error}") from error
    return quotes


def _reader(stream: TextIO, delimiter: str, quoted: bool) -> Iterator[list[str]]:
    """Return the rows of a file without the blank lines."""
    rows = csv.reader(
        stream, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    )
    return filter(None, rows)


def _not_utf8(path: Path, delimiter: str, quoted: bool) -> DatasetError:
    problem = "is not UTF-8 text"
    header: list[str] = []
    with _open_text(path) as stream:
        try:
            for row, values in enumerate(_reader(stream, delimiter, quoted), 1):
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


def header_of(path: Path, delimiter: str, quoted: bool) -> list[str]:
    """Return the names in the first row that is not blank."""
    try:
        with _open_text(path) as stream:
            header = next(_reader(stream, delimiter, quoted), None)
    except csv.Error as error:
        raise DatasetError(path, f"cannot be read: {error}", row=1) from error
    if not header:
        raise DatasetError(path, "is empty: there is no header", row=1)
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DatasetError(path, "is there twice", row=1, column=twice)
    return header
