"""Items, checked."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from training.datasets import cells
from training.datasets.cells import Mask
from training.datasets.descriptions import TEXT_PREFIX, merged
from training.datasets.errors import DatasetError
from training.datasets.format import ITEM_COLUMNS, UNKNOWN_TIME_MS
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck
from training.datasets.tables import RawTable
from training.datasets.texts import repair, shorten

FIRST_TIME_MS = -62_135_596_800_000  # the beginning of the year 1
LAST_TIME_MS = 253_402_300_799_999  # the end of the year 9999
MAX_BYTES = {"title": 1_024, "description": 65_536, "brand": 256, "language_code": 64}
MAX_LIST = {"categories": 32, "tags": 64}
MAX_LIST_ENTRY_BYTES = 256
MAX_ATTRIBUTES = 64
MAX_ATTRIBUTE_BYTES = 1_024
ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def clean_items(
    table: RawTable, report: CleaningReport, log: RejectLog
) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Return the items as in `Dataset.items`, and the types of their attributes."""
    table.require("item_id")
    rows = RowCheck(table)
    ids = rows.ids("item_id")
    created, unknown, bad = cells.times(rows.column("created_at"))
    rows.reject(bad, "created_at is neither Unix seconds, nor milliseconds, nor ISO 8601")
    rows.reject((created < FIRST_TIME_MS) | (created > LAST_TIME_MS), "created_at is out of range")
    available, bad = cells.truths(rows.column("available"))
    rows.reject(bad, "available is neither true nor false")
    lat, lon = rows.place()
    kept = last_of_each_id(ids, rows.finish(report, log), table, report)

    def texts(name: str) -> "pd.Series[str]":
        column = cells.as_strings(rows.column(name)).filter(pa.array(kept))
        return repair(column, MAX_BYTES[name], report).to_pandas().astype("str")

    further = {
        column: repair(
            cells.as_strings(rows.column(column)).filter(pa.array(kept)),
            MAX_BYTES["description"],
            report,
        )
        for column in table.cells.column_names
        if column.startswith(TEXT_PREFIX)
    }
    types, attributes = _attributes(table, kept, report)
    frame = pd.DataFrame(
        {
            "item_id": pd.Series([ids.values[c] for c in ids.codes[kept].tolist()], dtype="str"),
            "title": texts("title"),
            "description": merged(texts("description"), further, MAX_BYTES["description"], report),
            "categories": word_lists(rows, "categories", kept, report),
            "tags": word_lists(rows, "tags", kept, report),
            "brand": texts("brand"),
            "language_code": texts("language_code"),
            "created_at": np.where(unknown, UNKNOWN_TIME_MS, created)[kept],
            "available": available[kept] != 0,
            "lat": lat[kept],
            "lon": lon[kept],
            "attributes": attributes,
        }
    )
    return frame, types


def made_items(item_ids: list[str]) -> pd.DataFrame:
    """Return items of which nothing but the id is known."""
    count = len(item_ids)
    empty = {name: pd.Series([""] * count, dtype="str") for name in MAX_BYTES}
    return pd.DataFrame(
        {
            "item_id": pd.Series(item_ids, dtype="str"),
            **empty,
            "categories": objects([[] for _ in range(count)]),
            "tags": objects([[] for _ in range(count)]),
            "created_at": np.full(count, UNKNOWN_TIME_MS),
            "available": np.ones(count, dtype=np.bool_),
            "lat": np.full(count, np.nan),
            "lon": np.full(count, np.nan),
            "attributes": objects([{} for _ in range(count)]),
        }
    )[[*ITEM_COLUMNS, "attributes"]]


def last_of_each_id(ids: cells.Ids, kept: Mask, table: RawTable, report: CleaningReport) -> Mask:
    """Return the mask of kept rows whose id does not come again, and count the others."""
    codes = pd.Series(np.where(kept, ids.codes, -1 - np.arange(len(kept))))
    replaced = codes.duplicated(keep="last").to_numpy()
    if replaced.any():
        report.replaced_rows[table.file.name] = int(replaced.sum())
    return kept & ~replaced


def word_lists(rows: RowCheck, name: str, kept: Mask, report: CleaningReport) -> "pd.Series[Any]":
    """Return a column of lists, split by `|`, trimmed, each entry once, within the limits."""
    column = cells.as_strings(rows.column(name)).filter(pa.array(kept))
    longest = MAX_LIST[name] * (MAX_LIST_ENTRY_BYTES + 1)
    encoded = repair(column, longest, report).dictionary_encode()
    distinct = [_words(text, MAX_LIST[name]) for text in encoded.dictionary.to_pylist()]
    return objects([list(distinct[code]) for code in encoded.indices.to_pylist()])


def objects(values: list[Any]) -> "pd.Series[Any]":
    """Return a column of Python objects, such as lists."""
    return pd.Series(values, dtype=object)


def _words(text: str, most: int) -> list[str]:
    trimmed = (shorten(word.strip(), MAX_LIST_ENTRY_BYTES).strip() for word in text.split("|"))
    return list(dict.fromkeys(word for word in trimmed if word))[:most]


def _attributes(
    table: RawTable, kept: Mask, report: CleaningReport
) -> tuple[dict[str, str], "pd.Series[Any]"]:
    types: dict[str, str] = {}
    rows: list[dict[str, str | int | float | bool]] = [{} for _ in range(int(kept.sum()))]
    for column in table.cells.column_names:
        if column in ITEM_COLUMNS or column.startswith(TEXT_PREFIX):
            continue
        name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
        if not ATTRIBUTE_NAME.fullmatch(name):
            raise DatasetError(
                table.file, "an attribute's name starts with a letter, at most 63", column=column
            )
        if name in types or name in ITEM_COLUMNS:
            raise DatasetError(table.file, f"is a second attribute {name}", column=column)
        cells_kept = table.cells.column(column).filter(pa.array(kept))
        types[name], values = cells.attribute(cells_kept)
        if types[name] == "string":
            strings = pa.array(["" if v is None else str(v) for v in values], type=pa.string())
            values = repair(strings, MAX_ATTRIBUTE_BYTES, report).to_pylist()
        for row, value in zip(rows, values, strict=True):
            if value is not None and value != "":
                row[name] = value
    if len(types) > MAX_ATTRIBUTES:
        raise DatasetError(table.file, f"has {len(types)} attributes; at most {MAX_ATTRIBUTES}")
    return types, objects(rows)
