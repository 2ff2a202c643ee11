"""Cells of RecBole's atomic files, which have no one way to write quotes and sequences."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from training.datasets import cells

QUOTED = r'^"(?:[^"]|"")*"$'
# A separator is one if so many of the cells of several words hold it.
LEAST_SEPARATED = 0.25


def unquoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells without the quotes that writers of tables put around quotes."""
    if pa.types.is_dictionary(column.type):
        return column
    quoted = pc.match_substring_regex(column, QUOTED)
    if not pc.any(quoted).as_py():
        return column
    inner = pc.replace_substring(pc.utf8_slice_codeunits(column, 1, -1), '""', '"')
    return pc.if_else(quoted, inner, column)


def listed(column: pa.ChunkedArray, kind: str) -> pa.Array:
    """Return lists separated by `|`: one token, or what commas or spaces separate.

    Published files write sequences as `Drama Thriller`, `Drama, Science Fiction` or, as Python
    prints lists, `'Beauty', "Men's"`.
    """
    distinct, codes = cells.encode(pa.chunked_array(column))
    if kind != "token_seq":
        return distinct.take(pa.array(codes))
    texts = distinct.to_pylist()
    several = [text for text in texts if re.search(r"\s|,|\|", text.strip())]
    held = {mark: sum(mark in text for text in several) for mark in "|,"}
    mark = next((m for m in "|," if held[m] and held[m] >= LEAST_SEPARATED * len(several)), None)
    split = [
        "|".join(part.strip(" '\"[]{}") for part in (text.split(mark) if mark else text.split()))
        for text in texts
    ]
    return pa.array(split, type=pa.string()).take(pa.array(codes))
