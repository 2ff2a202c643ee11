"""Rows that repeat an earlier row byte for byte."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from training.datasets.cells import Mask, plain

# Odd numbers without a pattern, which spread sums over all 64 bits.
FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def repeated_rows(
    cells: pa.Table, among: Mask, parsed: Sequence[npt.NDArray[np.integer]]
) -> npt.NDArray[np.int64]:
    """Return the positions of rows, of those in `among`, that equal an earlier one in every cell.

    parsed: up to three columns of integers [rows] that are equal where the cells are. Only rows
    in which all of them agree with another row's are looked at byte by byte.
    """
    key = np.zeros(cells.num_rows, dtype=np.uint64)
    for column, factor in zip(parsed, FACTORS, strict=False):
        key += column.astype(np.uint64)
        key *= np.uint64(factor)
        key ^= key >> np.uint64(29)
    ordered = np.sort(key)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not shared.size:
        return np.zeros(0, dtype=np.int64)
    found = np.minimum(np.searchsorted(shared, key), len(shared) - 1)
    suspects = np.flatnonzero((shared[found] == key) & among)
    return suspects[~_first_of_equal_rows(cells.take(pa.array(suspects)))]


def _first_of_equal_rows(cells: pa.Table) -> Mask:
    key = np.zeros(cells.num_rows, dtype=np.int64)
    bound = 1
    for column in cells.columns:
        array = plain(column)
        if pa.types.is_nested(array.type):
            array = pa.array([str(value) for value in array.to_pylist()])
        encoded = array.dictionary_encode()
        codes = pc.fill_null(encoded.indices, len(encoded.dictionary))
        size = len(encoded.dictionary) + 1
        if bound > np.iinfo(np.int64).max // size:
            key, distinct = pd.factorize(key)
            bound = len(distinct)
        key = key * size + np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)
        bound *= size
    return ~pd.Series(key).duplicated().to_numpy()
