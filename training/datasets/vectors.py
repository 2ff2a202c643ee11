"""Vectors that items bring along, checked: one row for each item and embedding space."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.item_vectors import (
    SPACE_NAME,
    SPACES_MOST,
    TAKEN_NAMES,
    WIDTH_LEAST,
    WIDTH_MOST,
    unit_vectors,
)
from training.datasets.errors import DatasetError
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck
from training.datasets.tables import RawTable

VECTOR_COLUMNS = ("item_id", "space", "vector")
_TAKEN = sorted(TAKEN_NAMES)
Float16 = npt.NDArray[np.float16]


def clean_vectors(
    tables: Sequence[RawTable], items: "pd.Series[str]", report: CleaningReport, log: RejectLog
) -> Mapping[str, Float16]:
    """Return the vectors of all items by space, as in `Dataset.vectors`.

    The first usable row of a space gives its width. Of rows with one item and space the last wins.
    """
    spaces: dict[str, Float16] = {}
    for table in tables:
        _add(spaces, table, items, report, log)
        if len(spaces) > SPACES_MOST:
            raise DatasetError(table.file, f"more than {SPACES_MOST} spaces", column="space")
    for name, space in sorted(spaces.items()):
        count = int(space.any(axis=1).sum())
        report.notes.append(
            f"{count:,} of {len(space):,} items have a vector of {space.shape[1]} in space {name}"
        )
    return dict(sorted(spaces.items()))


def _add(
    spaces: dict[str, Float16],
    table: RawTable,
    items: "pd.Series[str]",
    report: CleaningReport,
    log: RejectLog,
) -> None:
    table.require(*VECTOR_COLUMNS)
    if ignored := [c for c in table.cells.column_names if c not in VECTOR_COLUMNS]:
        report.ignored_columns[table.file.name] = tuple(ignored)
    rows = RowCheck(table)
    ids = rows.ids("item_id")
    by_code = pd.Index(items).get_indexer(pd.Index(ids.values, dtype="str"))
    of_item = np.asarray(by_code, np.int64)[ids.codes]
    rows.reject(of_item < 0, "item_id names an item that is not known")
    names = np.array([str(name or "") for name in rows.column("space").to_pylist()], object)
    bad = np.array([not SPACE_NAME.fullmatch(n) or n in TAKEN_NAMES for n in names], np.bool_)
    reason = f"space does not match {SPACE_NAME.pattern}, or is one of {', '.join(_TAKEN)}"
    rows.reject(bad, reason)
    values, starts, lengths = _lists(table)
    rows.reject(lengths < 0, "vector is missing")
    wrong = (lengths < WIDTH_LEAST) | (lengths > WIDTH_MOST)
    rows.reject(wrong, f"vector has not {WIDTH_LEAST} to {WIDTH_MOST:,} numbers")
    rows.reject(_any(~np.isfinite(values), starts, lengths), "vector is not of finite numbers")
    rows.reject(~_any(values != 0, starts, lengths), "vector is all zeros")
    for name in np.unique(names[rows.kept]):
        own = np.flatnonzero((names == name) & rows.kept)
        known = name in spaces
        width = spaces[name].shape[1] if known else int(lengths[own[0]])
        other = np.zeros(len(names), np.bool_)
        other[own] = lengths[own] != width
        rows.reject(other, "vector has another width than the first of its space")
        own = own[lengths[own] == width]
        space = spaces.setdefault(name, np.zeros((len(items), width), np.float16))
        _, last = np.unique(of_item[own][::-1], return_index=True)
        if replaced := len(own) - len(last):
            report.replaced_rows[table.file.name] += replaced
        own = own[::-1][last]
        found = values[starts[own][:, None] + np.arange(width)]
        space[of_item[own]] = unit_vectors(found)
    rows.finish(report, log)


def _lists(
    table: RawTable,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all numbers, and where each row's begin and how many there are, -1 for no list."""
    column = table.cells.column("vector")
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (lists or pa.types.is_fixed_size_list(kind)) or not (
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    ):
        raise DatasetError(table.file, f"is {kind}, no list of numbers", column="vector")
    array = column.cast(pa.large_list(pa.float32()), safe=False).combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    starts = array.offsets.to_numpy().astype(np.int64)
    values = array.values.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    lengths = np.diff(starts)
    missing = array.is_null().to_numpy(zero_copy_only=False)
    return values, starts[:-1], np.where(missing, -1, lengths)


def _any(
    mask: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell of which rows' numbers any is true."""
    counts = np.concatenate([[0], np.cumsum(mask)])
    ends = starts + np.maximum(lengths, 0)
    return np.asarray(counts[ends] > counts[starts])
