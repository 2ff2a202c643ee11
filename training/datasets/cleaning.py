"""From the unchecked tables of a reader to a clean data set."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.datasets.format import Dataset
from training.datasets.interactions import Events, clean_interactions
from training.datasets.items import clean_items, made_items
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.tables import RaggedRow, RawTable
from training.datasets.users import clean_users, made_users


@dataclass(frozen=True)
class RawDataset:
    """What a reader found. The tables have the columns of training.datasets.format.

    other_rejects: rows of further files that the reader could not use, with the file's name.
    """

    name: str
    interactions: RawTable
    items: RawTable
    users: RawTable | None = None
    repeat: bool = False
    license: str = ""
    other_rejects: tuple[tuple[str, RaggedRow], ...] = ()


def clean(raw: RawDataset, rejects: Path | None) -> Dataset:
    """Return the clean data set and, if a path is given, write the refused rows there.

    Raises DatasetError, before anything is written, if a file has no usable row or lacks a column.
    """
    report = CleaningReport()
    log = RejectLog()
    events = clean_interactions([raw.interactions], True, report, log)
    items, attribute_types = clean_items(raw.items, report, log)
    users = made_users([]) if raw.users is None else clean_users(raw.users, report, log)
    for file, row in raw.other_rejects:
        report.rows_rejected[file, row.reason] += 1
        log.add(file, row.row, row.reason, row.raw)

    item_rows, unknown_items = _rows(items["item_id"], events.item_ids)
    user_rows, unknown_users = _rows(users["user_id"], events.user_ids)
    report.items_made = len(unknown_items)
    report.users_made = len(unknown_users)
    if unknown_items:
        items = pd.concat([items, made_items(unknown_items)], ignore_index=True)
    if unknown_users:
        users = pd.concat([users, made_users(unknown_users)], ignore_index=True)
    report.items_without_text = int(((items["title"] == "") & (items["description"] == "")).sum())
    if rejects is not None:
        log.write(rejects)
    return Dataset(
        name=raw.name,
        interactions=_with_ids(events, users, user_rows, items, item_rows),
        items=items,
        users=users,
        attribute_types=attribute_types,
        repeat=raw.repeat,
        license=raw.license,
        report=report,
    )


def _rows(known: "pd.Series[str]", wanted: list[str]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the row of each wanted id, ids that are not known behind the known ones in turn."""
    rows = pd.Index(known).get_indexer(pd.Index(wanted, dtype="str")).astype(np.int64)
    unknown = np.flatnonzero(rows < 0)
    rows[unknown] = len(known) + np.arange(len(unknown))
    return rows, [wanted[position] for position in unknown.tolist()]


def _with_ids(
    events: Events,
    users: pd.DataFrame,
    user_rows: npt.NDArray[np.int64],
    items: pd.DataFrame,
    item_rows: npt.NDArray[np.int64],
) -> pd.DataFrame:
    user_column = pd.Categorical.from_codes(
        user_rows[events.user_codes], categories=pd.Index(users["user_id"], dtype="str")
    )
    item_column = pd.Categorical.from_codes(
        item_rows[events.item_codes], categories=pd.Index(items["item_id"], dtype="str")
    )
    return events.frame(user_column, item_column)
