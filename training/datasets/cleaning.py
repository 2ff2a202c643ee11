"""From the unchecked tables of a reader to a clean data set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.datasets.cells import Mask
from training.datasets.core import k_core
from training.datasets.errors import DatasetError
from training.datasets.format import ACTIONS, UNKNOWN_TIME_MS, Dataset
from training.datasets.impressions import clean_impressions
from training.datasets.interactions import Events, clean_interactions
from training.datasets.items import clean_items, made_items
from training.datasets.relations import clean_relations
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.settings import Cleaning
from training.datasets.social import clean_social, sharing_note
from training.datasets.suspicion import suspect
from training.datasets.tables import RaggedRow, RawTable
from training.datasets.users import clean_users, made_users
from training.datasets.vectors import clean_vectors


@dataclass(frozen=True)
class RawDataset:
    """What a reader found. The tables have the columns of training.datasets.format.

    interactions: one table or several, in the order in which they follow each other. timed:
    whether interactions have times; if not, the order of the rows is theirs. other_rejects: rows
    of further files that the reader could not use, with the file's name. notes: sentences about
    how the files were read, for the report.
    """

    name: str
    interactions: tuple[RawTable, ...]
    items: RawTable | None
    users: RawTable | None = None
    impressions: RawTable | None = None
    vectors: tuple[RawTable, ...] = ()
    repeat: bool = False
    license: str = ""
    timed: bool = True
    other_rejects: tuple[tuple[str, RaggedRow], ...] = ()
    notes: tuple[str, ...] = ()
    relations: RawTable | None = None
    social: RawTable | None = None


def clean(raw: RawDataset, rejects: Path | None, cleaning: Cleaning, now_ms: int) -> Dataset:
    """Return the clean data set and, if a path is given, write the refused rows there.

    now_ms: Unix milliseconds; what is later is reported. Raises DatasetError, before anything is
    written, if a file has no usable row or lacks a column, or if `cleaning` leaves nothing.
    """
    report = CleaningReport(notes=list(raw.notes))
    log = RejectLog()
    events = clean_interactions(raw.interactions, raw.timed, report, log)
    items = made_items([])
    types: Mapping[str, str] = {}
    if raw.items is not None:
        items, types = clean_items(raw.items, report, log)
    users = made_users([]) if raw.users is None else clean_users(raw.users, report, log)
    for file, row in raw.other_rejects:
        report.rows_rejected[file, row.reason] += 1
        log.add(file, row.row, row.reason, row.raw)

    removed = _removed(events, items, raw.timed, cleaning, now_ms, report)
    if len(removed) and removed.all():
        raise DatasetError(raw.interactions[0].file, f"nothing is left after {cleaning}")
    events = events.only(~removed)
    if cleaning.k_core:
        items = _named(items, "item_id", events.item_ids)
        users = _named(users, "user_id", events.user_ids)

    item_rows, unknown_items = _rows(items["item_id"], events.item_ids)
    user_rows, unknown_users = _rows(users["user_id"], events.user_ids)
    report.items_made = len(unknown_items)
    report.users_made = len(unknown_users)
    if unknown_items:
        items = pd.concat([items, made_items(unknown_items)], ignore_index=True)
    if unknown_users:
        users = pd.concat([users, made_users(unknown_users)], ignore_index=True)
    shown = pd.DataFrame()
    if raw.impressions is not None:
        shown = clean_impressions(raw.impressions, users["user_id"], items["item_id"], report, log)
    relations = pd.DataFrame()
    if raw.relations is not None:
        relations = clean_relations(raw.relations, items["item_id"], report, log)
    social = pd.DataFrame()
    if raw.social is not None:
        social = clean_social(raw.social, users["user_id"], report, log)
        report.notes.append(sharing_note(social, users))
    vectors = clean_vectors(raw.vectors, items["item_id"], report, log)
    report.items_without_text = int(((items["title"] == "") & (items["description"] == "")).sum())
    if rejects is not None:
        log.write(rejects)
    user_column = pd.Categorical.from_codes(
        user_rows[events.user_codes], categories=pd.Index(users["user_id"], dtype="str")
    )
    item_column = pd.Categorical.from_codes(
        item_rows[events.item_codes], categories=pd.Index(items["item_id"], dtype="str")
    )
    return Dataset(
        name=raw.name,
        interactions=_labels_as_ratings(events.frame(user_column, item_column), report),
        items=items,
        users=users,
        attribute_types=types,
        repeat=raw.repeat,
        license=raw.license,
        report=report,
        impressions=shown,
        relations=relations,
        vectors=vectors,
        social=social,
    )


def _labels_as_ratings(frame: pd.DataFrame, report: CleaningReport) -> pd.DataFrame:
    """Return the interactions, rated by their labels where nothing is rated.

    So a model reads what became of the events that are known, however the data says it.
    """
    if frame["rating"].notna().any() or frame["label"].isna().all():
        return frame
    report.notes.append("Labels are read as ratings, as there are none.")
    return frame.assign(rating=frame["label"])


def _removed(
    events: Events,
    items: pd.DataFrame,
    timed: bool,
    cleaning: Cleaning,
    now_ms: int,
    report: CleaningReport,
) -> Mask:
    """Report what is suspicious, and return the mask of events that go because it was asked."""
    removed: Mask = np.zeros(len(events.times_ms), dtype=np.bool_)
    if timed:
        rows = pd.Index(items["item_id"]).get_indexer(pd.Index(events.item_ids, dtype="str"))
        created = np.append(items["created_at"].to_numpy(dtype=np.int64), UNKNOWN_TIME_MS)
        # The row -1 of an item that the catalogue lacks is the last one, the unknown time.
        suspicion = suspect(events, created[rows], now_ms, report)
        if cleaning.drop_bots:
            removed |= suspicion.bots
            report.removed["interactions of bot-like users"] = int(suspicion.bots.sum())
        if cleaning.drop_impossible_times:
            gone = suspicion.times & ~removed
            removed |= gone
            report.removed["interactions at impossible times"] = int(gone.sum())
    if cleaning.k_core:
        left = np.flatnonzero(~removed)
        counted = events.actions[left] != ACTIONS.index("impression")
        core = k_core(events.user_codes[left], events.item_codes[left], counted, cleaning.k_core)
        removed[left[~core]] = True
        report.removed[f"interactions outside the {cleaning.k_core}-core"] = int((~core).sum())
    return removed


def _named(frame: pd.DataFrame, column: str, ids: list[str]) -> pd.DataFrame:
    return frame[frame[column].isin(ids)].reset_index(drop=True)


def _rows(known: "pd.Series[str]", wanted: list[str]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the row of each wanted id, ids that are not known behind the known ones in turn."""
    rows = pd.Index(known).get_indexer(pd.Index(wanted, dtype="str")).astype(np.int64)
    unknown = np.flatnonzero(rows < 0)
    rows[unknown] = len(known) + np.arange(len(unknown))
    return rows, [wanted[position] for position in unknown.tolist()]
