"""Users, checked."""

import numpy as np
import pandas as pd
import pyarrow as pa

from training.datasets import cells
from training.datasets.format import USER_COLUMNS
from training.datasets.items import last_of_each_id, objects, word_lists
from training.datasets.report import CleaningReport, RejectLog
from training.datasets.rows import RowCheck
from training.datasets.tables import RawTable
from training.datasets.texts import repair

MAX_BYTES = {"text": 16_384, "language_code": 64, "region_code": 64, "group": 64}


def clean_users(table: RawTable, report: CleaningReport, log: RejectLog) -> pd.DataFrame:
    """Return the users as in `Dataset.users`."""
    table.require("user_id")
    if ignored := [c for c in table.cells.column_names if c not in USER_COLUMNS]:
        report.ignored_columns[table.file.name] = tuple(ignored)
    rows = RowCheck(table)
    ids = rows.ids("user_id")
    shares, bad = cells.truths(rows.column("friends_enabled"))
    rows.reject(bad, "friends_enabled is neither true nor false")
    kept = last_of_each_id(ids, rows.finish(report, log), table, report)
    texts = {
        name: repair(cells.as_strings(rows.column(name)).filter(pa.array(kept)), max_bytes, report)
        for name, max_bytes in MAX_BYTES.items()
    }
    return pd.DataFrame(
        {
            "user_id": pd.Series([ids.values[c] for c in ids.codes[kept].tolist()], dtype="str"),
            **{name: column.to_pandas().astype("str") for name, column in texts.items()},
            "tags": word_lists(rows, "tags", kept, report),
            "friends_enabled": shares[kept] == 1,
        }
    )[list(USER_COLUMNS)]


def made_users(user_ids: list[str]) -> pd.DataFrame:
    """Return users of whom nothing but the id is known."""
    count = len(user_ids)
    empty = {name: pd.Series([""] * count, dtype="str") for name in MAX_BYTES}
    return pd.DataFrame(
        {
            "user_id": pd.Series(user_ids, dtype="str"),
            **empty,
            "tags": objects([[] for _ in range(count)]),
            "friends_enabled": np.zeros(count, dtype=np.bool_),
        }
    )[list(USER_COLUMNS)]
