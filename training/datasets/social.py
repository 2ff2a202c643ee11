"""Who counts whom among their friends, checked: one row for each."""

import numpy as np
import pandas as pd

from features.friends import FRIENDS_KEPT, WEIGHT_MOST
from training.datasets.format import SOCIAL_COLUMNS
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck, rows_among
from training.datasets.tables import RawTable

STRANGER = "names a user of whom nothing else is known"


def clean_social(
    table: RawTable, users: "pd.Series[str]", report: CleaningReport, log: RejectLog
) -> pd.DataFrame:
    """Return the friends as in `Dataset.social`; users: ids. Those of unknown users go."""
    table.require(*SOCIAL_COLUMNS[:2])
    if ignored := [c for c in table.cells.column_names if c not in SOCIAL_COLUMNS]:
        report.ignored_columns[table.file.name] = tuple(ignored)
    rows = RowCheck(table)
    of_user = rows_among(rows.ids("user_id"), users)
    of_friend = rows_among(rows.ids("friend_id"), users)
    rows.reject(of_user < 0, f"user_id {STRANGER}")
    rows.reject(of_friend < 0, f"friend_id {STRANGER}")
    rows.reject(of_user == of_friend, "user_id and friend_id are the same")
    weights = rows.numbers("weight", 0.0, WEIGHT_MOST)
    rows.reject(weights == 0, "weight is 0")
    kept = rows.finish(report, log)
    columns = {
        "user_id": of_user,
        "friend_id": of_friend,
        "weight": np.where(np.isnan(weights), 1.0, weights),
    }
    told = pd.DataFrame(columns)[kept]
    once = told.drop_duplicates(["user_id", "friend_id"], keep="last")
    if len(once) < len(told):
        report.replaced_rows[table.file.name] = len(told) - len(once)
    # Strongest first; equals in the order of their ids, as serving asks them.
    ids = users.to_numpy()[once["friend_id"].to_numpy()]
    order = np.lexsort((ids, -once["weight"].to_numpy(), once["user_id"].to_numpy()))
    ordered = once.iloc[order].reset_index(drop=True)
    social = ordered[ordered.groupby("user_id").cumcount() < FRIENDS_KEPT].reset_index(drop=True)
    if len(social) < len(ordered):
        report.notes.append(
            f"{table.file.name}: of each user the {FRIENDS_KEPT} friends of greatest weight are "
            f"kept; {len(ordered) - len(social):,} rows are beyond them"
        )
    return social


def sharing_note(social: pd.DataFrame, users: pd.DataFrame) -> str:
    """Return how many friends there are, and between how many both sides allow it, for people."""
    shares = users["friends_enabled"].to_numpy(bool)
    both = shares[social["user_id"].to_numpy()] & shares[social["friend_id"].to_numpy()]
    return (
        f"friends of {social['user_id'].nunique():,} users: {len(social):,}, of which "
        f"{int(both.sum()):,} where both have friends_enabled"
    )
