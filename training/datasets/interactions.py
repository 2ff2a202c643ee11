"""Interactions, checked."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from training.datasets import cells
from training.datasets.cells import Ids, Mask
from training.datasets.format import ACTIONS, INTERACTION_COLUMNS, SPLITS
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck
from training.datasets.tables import RawTable
from training.datasets.texts import repair

LAST_TIME_MS = 4_102_444_800_000 - 1  # the end of the year 2099
MAX_OFFSET_MINUTES = 18 * 60
MAX_DWELL_MS = 30 * 24 * 3600 * 1000
MAX_TEXT_BYTES = 65_536
SPLIT_WORDS = ("train", "valid", "test", "validation", "val", "dev")
SPLIT_BY_WORD = ("train", "valid", "test", "valid", "valid", "valid")


@dataclass(frozen=True)
class Events:
    """Clean interactions. Codes point into the ids, which are in order of first appearance.

    values: the columns of a data set's interactions besides the two ids.
    """

    user_ids: list[str]
    user_codes: npt.NDArray[np.int32]
    item_ids: list[str]
    item_codes: npt.NDArray[np.int32]
    values: pd.DataFrame


def clean_interactions(table: RawTable, report: CleaningReport, log: RejectLog) -> Events:
    """Check every row, remove byte-equal repeats, and count what was done."""
    table.require("user_id", "item_id", "timestamp")
    name = table.file.name
    if ignored := [c for c in table.cells.column_names if c not in INTERACTION_COLUMNS]:
        report.ignored_columns[name] = tuple(ignored)
    rows = RowCheck(table)
    users = rows.ids("user_id")
    items = rows.ids("item_id")
    times, unknown, bad = cells.times(rows.column("timestamp"))
    rows.reject(unknown, "timestamp is missing")
    rows.reject(bad, "timestamp is neither Unix seconds, nor milliseconds, nor ISO 8601")
    rows.reject((times < 0) | (times > LAST_TIME_MS), "timestamp is not between 1970 and 2099")
    actions = cells.words(rows.column("action"), ACTIONS)
    rows.reject(actions == -2, f"action is none of {', '.join(ACTIONS)}")
    numbers = {
        "rating": rows.numbers("rating"),
        "dwell_ms": rows.numbers("dwell_ms", 0, MAX_DWELL_MS),
    }
    unrated = (actions == ACTIONS.index("rate")) & np.isnan(numbers["rating"])
    rows.reject(unrated, "action is rate and rating is missing")
    numbers["lat"], numbers["lon"] = rows.place()
    numbers["utc_offset_minutes"] = rows.numbers(
        "utc_offset_minutes", -MAX_OFFSET_MINUTES, MAX_OFFSET_MINUTES
    )
    splits = cells.words(rows.column("split"), SPLIT_WORDS)
    rows.reject(splits == -2, "split is none of train, valid, test")
    numbers["label"] = rows.numbers("label")
    kept = rows.finish(report, log)
    first = cells.first_of_equal_rows(table.cells)
    report.duplicate_rows_removed += int((kept & ~first).sum())
    kept &= first

    default = np.where(np.isnan(numbers["rating"]), ACTIONS.index("view"), ACTIONS.index("rate"))
    actions = np.where(actions < 0, default, actions).astype(np.int8)
    split_codes = np.array([*(SPLITS.index(word) for word in SPLIT_BY_WORD), 0], dtype=np.int8)
    texts = repair(
        cells.as_strings(rows.column("text")).filter(pa.array(kept)), MAX_TEXT_BYTES, report
    )
    values = pd.DataFrame(
        {
            "timestamp": times[kept],
            "action": pd.Categorical.from_codes(actions[kept], categories=pd.Index(ACTIONS)),
            **{column: numbers[column][kept] for column in numbers if column != "label"},
            "split": pd.Categorical.from_codes(
                split_codes[splits[kept]], categories=pd.Index(SPLITS)
            ),
            "label": numbers["label"][kept],
            "text": texts.to_pandas().astype("str"),
        }
    )
    if len(values):
        report.first_time_ms = int(values["timestamp"].min())
        report.last_time_ms = int(values["timestamp"].max())
    return Events(*_used(users, kept), *_used(items, kept), values)


def _used(found: Ids, kept: Mask) -> tuple[list[str], npt.NDArray[np.int32]]:
    codes, used = pd.factorize(found.codes[kept])
    return [found.values[code] for code in used.tolist()], codes.astype(np.int32)
