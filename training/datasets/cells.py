"""Columns of unchecked cells as columns of checked values, without a loop over rows.

Every function takes one column and returns its values together with a mask of the rows that
cannot be used. An empty cell, and a null in Parquet, is a value that is not known. Columns that
arrive as dictionaries are checked by their distinct values, others block by block, so that what
is held besides the result stays small.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
MAX_ID_BYTES = 256
CONTROL_CHARACTER = r"[\p{Cc}\x{2028}\x{2029}]"
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
# Seconds reach this in the year 5138, milliseconds had reached it in March 1973.
LEAST_MILLISECONDS = 1e11
TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")


@dataclass(frozen=True)
class Ids:
    """Ids by code. values: the distinct ids. codes: int32 [rows], -1 where missing."""

    values: list[str]
    codes: npt.NDArray[np.int32]
    missing: Mask
    too_long: Mask
    control: Mask


def as_strings(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of any plain type as strings, whole numbers without a point."""
    array = plain(column)
    if pa.types.is_floating(array.type):
        array = array.cast(pa.int64()) if _whole(array) else array
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        rows = array.to_pylist()
        return pa.array(
            ["|".join(str(v) for v in row if v is not None) if row else "" for row in rows],
            type=pa.string(),
        )
    if pa.types.is_boolean(array.type):
        array = pc.if_else(array, "true", "false")
    return pc.fill_null(array.cast(pa.string()), "")


def blocks(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yield a column's blocks as plain arrays, one of no rows where there is none."""
    if not column.num_chunks:
        yield plain(pa.array([], type=column.type))
    for chunk in column.chunks:
        yield plain(chunk)


def encode(column: pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.int32]]:
    """Return the distinct values of a column as strings, and the position of each row's value."""
    kind = column.type
    if pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type) and _dense(column):
        encoded = column.unify_dictionaries().combine_chunks()
    elif pa.types.is_string(kind):
        encoded = pc.fill_null(column, "").dictionary_encode().combine_chunks()
    else:
        encoded = as_strings(column).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return encoded.dictionary, codes.astype(np.int32, copy=False)


def ids(column: pa.ChunkedArray) -> Ids:
    """Check ids: 1 to MAX_ID_BYTES bytes of UTF-8 without control characters."""
    values, codes = encode(column)
    missing = _mask(pc.equal(pc.utf8_trim_whitespace(values), ""))
    too_long = _mask(pc.greater(pc.binary_length(values), MAX_ID_BYTES))
    control = _mask(pc.match_substring_regex(values, CONTROL_CHARACTER))
    return Ids(values.to_pylist(), codes, missing[codes], too_long[codes], control[codes])


def numbers(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.float64], Mask]:
    """Return float64 [rows], NaN where unknown; a written NaN or infinity is bad."""
    if pa.types.is_dictionary(column.type):
        distinct, codes = encode(column)
        values, bad = _numbers(distinct)
        return values[codes], bad[codes]
    parts = [_numbers(block) for block in blocks(column)]
    return np.concatenate([values for values, _ in parts]), np.concatenate(
        [bad for _, bad in parts]
    )


def times(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], Mask, Mask]:
    """Return int64 Unix milliseconds [rows], a mask of unknown ones and one of bad ones.

    Numbers are seconds below LEAST_MILLISECONDS, else milliseconds. Anything else is ISO 8601,
    in UTC where it names no offset.
    """
    parts = [_times(block) for block in blocks(column)]
    return (
        np.concatenate([values for values, _, _ in parts]),
        np.concatenate([unknown for _, unknown, _ in parts]),
        np.concatenate([bad for _, _, bad in parts]),
    )


def words(column: pa.ChunkedArray, allowed: tuple[str, ...]) -> npt.NDArray[np.int8]:
    """Return int8 [rows], the position in `allowed`, -1 where unknown, -2 for other words."""
    distinct, codes = encode(column)
    position = {word: number for number, word in enumerate(allowed)} | {"": -1}
    by_code = np.array(
        [position.get(word.strip().lower(), -2) for word in distinct.to_pylist()], dtype=np.int8
    )
    return by_code[codes]


def truths(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int8], Mask]:
    """Return int8 [rows], 1 for true, 0 for false, -1 where unknown."""
    codes = words(column, TRUE_WORDS + FALSE_WORDS)
    values = np.where(codes < 0, -1, codes < len(TRUE_WORDS)).astype(np.int8)
    return values, codes == -2


def attribute(column: pa.ChunkedArray) -> tuple[str, list[str | int | float | bool | None]]:
    """Return the type of a column, as in ATTRIBUTE_TYPES, and its values, None where unknown.

    Text has the narrowest type that fits all of it: bool for true and false, int for whole
    numbers without a leading zero, float, else string.
    """
    array = plain(column)
    kind = array.type
    if pa.types.is_boolean(kind):
        return "bool", array.to_pylist()
    if pa.types.is_integer(kind):
        return "int", array.to_pylist()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values, _ = _numbers(array)
        return "float", [v if np.isfinite(v) else None for v in values.tolist()]
    if not _is_text(kind):
        return "string", [text or None for text in as_strings(array).to_pylist()]
    texts = pc.utf8_trim_whitespace(array)
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    known = texts.drop_null()
    if len(known) and _all(pc.is_in(pc.utf8_lower(known), pa.array(["true", "false"]))):
        return "bool", pc.equal(pc.utf8_lower(texts), "true").to_pylist()
    if len(known) and _all(pc.match_substring_regex(known, r"^-?(0|[1-9]\d{0,17})$")):
        return "int", texts.cast(pa.int64()).to_pylist()
    if len(known) and _all(pc.match_substring_regex(known, r"^-?(0|[1-9]\d*)?(\.\d+|[eE].+)?$")):
        values, bad = _numbers(texts)
        if not bad.any():
            return "float", [v if np.isfinite(v) else None for v in values.tolist()]
    return "string", texts.to_pylist()


def _numbers(array: pa.Array) -> tuple[npt.NDArray[np.float64], Mask]:
    if not _is_text(array.type):
        try:
            array = array.cast(pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return _all_bad(array)
        values = array.to_numpy(zero_copy_only=False).astype(np.float64)
        return values, ~np.isfinite(values) & _mask(array.is_valid())
    texts = pc.utf8_trim_whitespace(array)
    known = _mask(pc.not_equal(pc.fill_null(texts, ""), ""))
    texts = pc.if_else(pa.array(known), texts, None)
    try:
        parsed = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        numeric = pc.match_substring_regex(texts, NUMBER)
        parsed = pc.if_else(numeric, texts, None).cast(pa.float64())
    values = parsed.to_numpy(zero_copy_only=False).astype(np.float64)
    return values, known & ~np.isfinite(values)


def _times(array: pa.Array) -> tuple[npt.NDArray[np.int64], Mask, Mask]:
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        milliseconds = array.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        unknown = _mask(array.is_null())
        return _integers(pc.fill_null(milliseconds, 0)), unknown, np.zeros(len(array), np.bool_)
    values, bad = _numbers(array)
    unknown = np.isnan(values) & ~bad
    result = _from_numbers(np.where(np.isfinite(values), values, 0.0))
    if bad.any() and _is_text(array.type):
        encoded = array.filter(pa.array(bad)).dictionary_encode()
        parsed = pd.to_datetime(
            pd.Series(encoded.dictionary.to_pylist(), dtype="str"),
            format="ISO8601",
            utc=True,
            errors="coerce",
        )
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        readable = parsed.notna().to_numpy()[codes]
        milliseconds = parsed.dt.as_unit("ms").astype("int64").to_numpy()[codes]
        positions = np.flatnonzero(bad)
        result[positions[readable]] = milliseconds[readable]
        bad[positions[readable]] = False
    return result, unknown, bad


def _dense(column: pa.ChunkedArray) -> bool:
    return column.null_count == 0 and all(not c.dictionary.null_count for c in column.chunks)


def plain(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one array, decoded where it was a dictionary."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    return array


def _from_numbers(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    milliseconds = np.where(np.abs(values) < LEAST_MILLISECONDS, values * 1000.0, values)
    return np.clip(np.rint(milliseconds), -(2.0**62), 2.0**62).astype(np.int64)


def _whole(array: pa.Array) -> bool:
    values = array.drop_null().to_numpy(zero_copy_only=False)
    return bool(np.all(np.isfinite(values) & (values == np.rint(values)) & (abs(values) < 2**53)))


def _all_bad(array: pa.Array) -> tuple[npt.NDArray[np.float64], Mask]:
    return np.full(len(array), np.nan), _mask(array.is_valid())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


def _mask(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _integers(array: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.int64)


def _all(array: pa.Array) -> bool:
    return bool(pc.all(array).as_py())
