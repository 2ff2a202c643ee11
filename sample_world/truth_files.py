"""The files in which a world's truth is saved."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_world.preference import CategoryTraits, ItemTraits, Preference, UserTraits
from sample_world.rhythms import DAYPARTS, opening_mask
from sample_world.styles import LOOKS, MOODS
from sample_world.truth import Truth

FOLDER = "truth"
ABOUT = "world.json"
VERSION = 1
ITEM_COLUMNS = (
    "topic",
    "mood",
    "look",
    "quality",
    "chinese",
    "lat",
    "lon",
    "created_ms",
    "gone_ms",
)
USER_COLUMNS = ("drift_ms", "chinese", "city", "utc_offset_minutes", "shift_hours")
USER_VECTORS = (
    "taste",
    "later_taste",
    "topics",
    "moods",
    "looks",
    "hidden",
    "home",
    "work",
    "out",
)
HABIT_COLUMNS = ("user_id", "category", "category_row", "weekend", "daypart", "factor")


def write_truth(truth: Truth, opening_hours: Sequence[str], folder: Path) -> None:
    """Write world.json and the tables users, habits, items and categories, as Parquet.

    opening_hours: of each item, in the order of the truth's items.
    """
    folder.mkdir()
    about = {
        "version": VERSION,
        "domain": truth.domain,
        "seed": truth.seed,
        "repeat": truth.repeat,
        "start_ms": truth.start_ms,
        "end_ms": truth.end_ms,
        "moods": [style.name for style in MOODS],
        "looks": [style.name for style in LOOKS],
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    items, users = truth.preference.items, truth.preference.users
    categories = truth.preference.categories
    habits = [
        (
            users.user_ids[user],
            categories.names[category],
            category,
            weekend,
            DAYPARTS[part],
            factor,
        )
        for user, own in enumerate(users.habits)
        for category, weekend, part, factor in own
    ]
    tables: dict[str, dict[str, Any]] = {
        "items": {
            "item_id": items.item_ids,
            "domain": [categories.domains[c] for c in items.category],
            "category": [categories.names[c] for c in items.category],
            "category_row": items.category,
            "opening_hours": list(opening_hours),
            "hidden": list(items.hidden),
            **{name: getattr(items, name) for name in ITEM_COLUMNS},
        },
        "users": {
            "user_id": users.user_ids,
            **{name: getattr(users, name) for name in USER_COLUMNS},
            **{name: list(getattr(users, name)) for name in USER_VECTORS},
        },
        "habits": {
            name: [habit[column] for habit in habits] for column, name in enumerate(HABIT_COLUMNS)
        },
        "categories": {
            "category": categories.names,
            "domain": categories.domains,
            "working_day": list(categories.rhythm[:, 0]),
            "weekend": list(categories.rhythm[:, 1]),
            "topics": list(categories.topics.reshape(len(categories.names), -1)),
        },
    }
    for name, columns in tables.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet", index=False)


def read_truth(directory: Path) -> Truth:
    """Read the truth of the world that `write_world` wrote into a directory."""
    folder = directory / FOLDER
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    items, users, habits, categories = (
        pd.read_parquet(folder / f"{name}.parquet")
        for name in ("items", "users", "habits", "categories")
    )
    patterns = sorted(items["opening_hours"].unique())
    by_user = defaultdict(list)
    for row in habits.to_dict("records"):
        habit = (row["category_row"], row["weekend"], DAYPARTS.index(row["daypart"]))
        by_user[row["user_id"]].append((*habit, row["factor"]))
    user_ids = users["user_id"].tolist()
    vectors: dict[str, Any] = {name: _matrix(users[name]) for name in USER_VECTORS}
    topics = _matrix(categories["topics"])
    rhythm = [_matrix(categories[name]) for name in ("working_day", "weekend")]
    preference = Preference(
        items=ItemTraits(
            item_ids=items["item_id"].tolist(),
            category=items["category_row"].to_numpy(),
            hidden=_matrix(items["hidden"]),
            opening=np.array([patterns.index(text) for text in items["opening_hours"]]),
            opening_masks=np.array([opening_mask(text) for text in patterns]),
            **{name: items[name].to_numpy() for name in ITEM_COLUMNS},
        ),
        categories=CategoryTraits(
            names=categories["category"].tolist(),
            domains=categories["domain"].tolist(),
            rhythm=np.stack(rhythm, axis=1),
            topics=topics.reshape(len(topics), -1, vectors["topics"].shape[1]),
        ),
        users=UserTraits(
            user_ids=user_ids,
            habits=[by_user[user_id] for user_id in user_ids],
            **vectors,
            **{name: users[name].to_numpy() for name in USER_COLUMNS},
        ),
    )
    return Truth(
        domain=about["domain"],
        seed=about["seed"],
        repeat=about["repeat"],
        start_ms=about["start_ms"],
        end_ms=about["end_ms"],
        preference=preference,
    )


def _matrix(column: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    return np.array(column.tolist(), dtype=np.float64)
