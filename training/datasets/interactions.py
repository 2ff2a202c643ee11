"""Interactions, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from training.datasets import cells
from training.datasets.cells import Mask
from training.datasets.format import ACTIONS, INTERACTION_COLUMNS, SPLITS
from training.datasets.repeats import repeated_rows
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck
from training.datasets.tables import RawTable
from training.datasets.texts import repair

MAX_OFFSET_MINUTES = 18 * 60
MAX_DWELL_MS = 30 * 24 * 3600 * 1000
MAX_TEXT_BYTES = 65_536
MADE_STEP_MS = 1_000
SPLIT_WORDS = ("train", "valid", "test", "validation", "val", "dev")
SPLIT_BY_WORD = ("train", "valid", "test", "valid", "valid", "valid")


@dataclass(frozen=True)
class Events:
    """Clean interactions. Codes point into the ids, which are in order of first appearance.

    times_ms: int64 Unix milliseconds. actions: int8, positions in ACTIONS. columns: the other
    columns of a data set's interactions by name, as arrays; `split` as positions in SPLITS.
    """

    user_ids: list[str]
    user_codes: npt.NDArray[np.int32]
    item_ids: list[str]
    item_codes: npt.NDArray[np.int32]
    times_ms: npt.NDArray[np.int64]
    actions: npt.NDArray[np.int8]
    columns: Mapping[str, Any]

    def only(self, kept: Mask) -> "Events":
        """Return the events of a mask, and the users and items that they name."""
        if kept.all():
            return self
        return Events(
            *_used(self.user_ids, self.user_codes[kept]),
            *_used(self.item_ids, self.item_codes[kept]),
            self.times_ms[kept],
            self.actions[kept],
            {name: values[kept] for name, values in self.columns.items()},
        )

    def frame(self, user_column: pd.Categorical, item_column: pd.Categorical) -> pd.DataFrame:
        """Return them as in `Dataset.interactions`, with the ids given."""
        split = pd.Categorical.from_codes(self.columns["split"], categories=pd.Index(SPLITS))
        columns = {
            "user_id": user_column,
            "item_id": item_column,
            "timestamp": self.times_ms,
            "action": pd.Categorical.from_codes(self.actions, categories=pd.Index(ACTIONS)),
            **self.columns,
            "split": split,
        }
        # Without copies: in large data the columns are most of what is held.
        return pd.DataFrame({name: columns[name] for name in INTERACTION_COLUMNS}, copy=False)


def clean_interactions(
    tables: Sequence[RawTable], timed: bool, report: CleaningReport, log: RejectLog
) -> Events:
    """Check every row of all tables, remove byte-equal repeats, and count what was done.

    timed: whether there are times; if not, each event is made one second later than the one
    before it, from the beginning of 1970.
    """
    parts = []
    start_ms = 0
    for table in tables:
        parts.append(_clean(table, None if timed else start_ms, report, log))
        start_ms += MADE_STEP_MS * table.cells.num_rows
    events = parts[0] if len(parts) == 1 else _joined(parts)
    if timed and len(events.times_ms):
        report.first_time_ms = int(events.times_ms.min())
        report.last_time_ms = int(events.times_ms.max())
    return events


def _clean(
    table: RawTable, made_from_ms: int | None, report: CleaningReport, log: RejectLog
) -> Events:
    table.require("user_id", "item_id", *(["timestamp"] if made_from_ms is None else []))
    name = table.file.name
    if ignored := [c for c in table.cells.column_names if c not in INTERACTION_COLUMNS]:
        report.ignored_columns[name] = tuple(ignored)
    rows = RowCheck(table)
    users = rows.ids("user_id")
    items = rows.ids("item_id")
    if made_from_ms is None:
        times = rows.times("timestamp")
    else:
        steps = np.arange(table.cells.num_rows, dtype=np.int64)
        times = made_from_ms + MADE_STEP_MS * steps
    actions = rows.words("action", ACTIONS)
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
    splits = rows.words("split", SPLIT_WORDS)
    rows.reject(splits == -2, "split is none of train, valid, test")
    numbers["label"] = rows.numbers("label")
    kept = rows.finish(report, log)
    # Made times differ in every row, so they cannot tell what is repeated.
    parsed: list[npt.NDArray[np.integer]] = [users.codes, items.codes]
    if made_from_ms is None:
        parsed.append(times)
    repeated = repeated_rows(table.cells, kept, parsed)
    report.duplicate_rows_removed += len(repeated)
    kept[repeated] = False

    default = np.where(np.isnan(numbers["rating"]), ACTIONS.index("view"), ACTIONS.index("rate"))
    unsaid = actions < 0
    only_labelled = unsaid & np.isnan(numbers["rating"]) & ~np.isnan(numbers["label"])
    report.labels_without_action += int((only_labelled & kept).sum())
    actions = np.where(unsaid, default, actions).astype(np.int8)
    split_codes = np.array([*(SPLITS.index(word) for word in SPLIT_BY_WORD), 0], dtype=np.int8)
    everything = bool(kept.all())

    def usable(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values if everything else values[kept]

    return Events(
        *_used(users.values, usable(users.codes)),
        *_used(items.values, usable(items.codes)),
        usable(times),
        usable(actions),
        {
            **{column: usable(values) for column, values in numbers.items()},
            "split": usable(split_codes[splits]),
            "text": _texts(rows, kept, report),
        },
    )


def _texts(rows: RowCheck, kept: Mask, report: CleaningReport) -> Any:
    """Return the users' own words as a pandas array of str, block by block."""
    column = rows.column("text").filter(pa.array(kept))
    parts = [
        repair(cells.as_strings(block), MAX_TEXT_BYTES, report) for block in cells.blocks(column)
    ]
    return pa.chunked_array(parts, type=pa.string()).to_pandas().astype("str").array


def _used(values: list[str], codes: npt.NDArray[np.int32]) -> tuple[list[str], Any]:
    """Return the values that codes point to, in order of first appearance, and their codes."""
    new_codes, used = pd.factorize(codes)
    return [values[code] for code in used.tolist()], new_codes.astype(np.int32)


def _joined(parts: Sequence[Events]) -> Events:
    users, user_codes = _joined_ids([(part.user_ids, part.user_codes) for part in parts])
    items, item_codes = _joined_ids([(part.item_ids, part.item_codes) for part in parts])
    texts = pd.concat([pd.Series(part.columns["text"]) for part in parts], ignore_index=True)
    return Events(
        users,
        user_codes,
        items,
        item_codes,
        np.concatenate([part.times_ms for part in parts]),
        np.concatenate([part.actions for part in parts]),
        {
            name: np.concatenate([part.columns[name] for part in parts])
            for name in parts[0].columns
            if name != "text"
        }
        | {"text": texts.array},
    )


def _joined_ids(
    parts: Sequence[tuple[list[str], npt.NDArray[np.int32]]],
) -> tuple[list[str], npt.NDArray[np.int32]]:
    codes, distinct = pd.factorize(np.array([i for ids, _ in parts for i in ids], dtype=object))
    starts = np.cumsum([0, *(len(ids) for ids, _ in parts)])
    moved = [
        codes[start + part_codes]
        for start, (_, part_codes) in zip(starts[:-1].tolist(), parts, strict=True)
    ]
    return distinct.tolist(), np.concatenate(moved).astype(np.int32)
