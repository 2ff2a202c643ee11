"""Answers that were shown, checked: one row for each item of each list."""

import numpy as np
import pandas as pd

from training.datasets.format import ACTIONS, FEATURE_PREFIX, IMPRESSION_COLUMNS
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck, rows_among
from training.datasets.tables import RawTable

POSITION_MAX = 100_000
# Nothing was done with it.
PASSED_OVER = ("", *ACTIONS)


def clean_impressions(
    table: RawTable,
    users: "pd.Series[str]",
    items: "pd.Series[str]",
    report: CleaningReport,
    log: RejectLog,
) -> pd.DataFrame:
    """Return the impressions as in `Dataset.impressions`; those of unknown users or items go."""
    table.require(*IMPRESSION_COLUMNS[:5])
    names = [c for c in table.cells.column_names if c.startswith(FEATURE_PREFIX)]
    known = {*IMPRESSION_COLUMNS, *names}
    if ignored := [c for c in table.cells.column_names if c not in known]:
        report.ignored_columns[table.file.name] = tuple(ignored)
    rows = RowCheck(table)
    lists = rows.ids("impression_id")
    of_user = rows_among(rows.ids("user_id"), users)
    of_item = rows_among(rows.ids("item_id"), items)
    rows.reject(of_user < 0, "user_id names a user of whom nothing else is known")
    rows.reject(of_item < 0, "item_id names an item that is not known")
    times = rows.times("timestamp")
    positions = rows.numbers("position", 1, POSITION_MAX)
    rows.reject(np.isnan(positions), "position is missing")
    propensities = rows.numbers("propensity", 0.0, 1.0)
    rows.reject(propensities == 0, "propensity is 0, yet the item was shown")
    actions = rows.words("action", ACTIONS)
    rows.reject(actions == -2, f"action is none of {', '.join(ACTIONS)}")
    features = {name: rows.numbers(name).astype(np.float32) for name in names}
    kept = rows.finish(report, log)
    columns = {
        "impression_id": lists.codes,
        "user_id": of_user,
        "item_id": of_item,
        "timestamp": times,
        "position": positions,
        "propensity": np.where(np.isnan(propensities), 1.0, propensities),
        "action": pd.Categorical.from_codes(actions + 1, categories=pd.Index(PASSED_OVER)),
        **features,
    }
    shown = pd.DataFrame(columns)[kept].reset_index(drop=True)
    return shown.astype({"position": np.int32})
