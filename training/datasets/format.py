"""The canonical form of a data set: what every reader returns and all of training reads.

docs/dataset-format.md describes the same for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.datasets.report import CleaningReport

ACTIONS = ("impression", "view", "click", "like", "purchase", "dismiss", "rate")
SPLITS = ("", "train", "valid", "test")
ATTRIBUTE_TYPES = ("string", "int", "float", "bool")
UNKNOWN_TIME_MS = -1

INTERACTION_COLUMNS = (
    "user_id",
    "item_id",
    "timestamp",
    "action",
    "rating",
    "dwell_ms",
    "lat",
    "lon",
    "utc_offset_minutes",
    "split",
    "label",
    "text",
)
ITEM_COLUMNS = (
    "item_id",
    "title",
    "description",
    "categories",
    "tags",
    "brand",
    "language_code",
    "created_at",
    "available",
    "lat",
    "lon",
)
IMPRESSION_COLUMNS = (
    "impression_id",
    "user_id",
    "item_id",
    "timestamp",
    "position",
    "propensity",
    "action",
)
RELATION_COLUMNS = ("head", "relation", "tail")
# What a ranker read of a shown item, by the feature's name.
FEATURE_PREFIX = "feature:"
USER_COLUMNS = (
    "user_id",
    "text",
    "language_code",
    "region_code",
    "tags",
    "group",
    "friends_enabled",
)
SOCIAL_COLUMNS = ("user_id", "friend_id", "weight")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A cleaned data set.

    interactions: one row per event, in the order of the file. `user_id` and `item_id` are
    categories whose codes are row numbers of `users` and `items`; `timestamp` int64 Unix
    milliseconds; `action` and `split` categories of ACTIONS and SPLITS; `rating`, `dwell_ms`,
    `lat`, `lon`, `utc_offset_minutes` and `label` float64, NaN where unknown; `text` str.

    items: one row per item. Strings are str, "" where unknown; `categories` and `tags` list[str];
    `created_at` int64 Unix milliseconds, UNKNOWN_TIME_MS where unknown; `available` bool; `lat`
    and `lon` float64, NaN where unknown; `attributes` dict from name to str, int, float or bool,
    without those that the item lacks.

    users: one row per user; strings as above, `tags` list[str], `friends_enabled` bool.

    impressions: one row per item of each list that was shown, none where that is not known.
    `impression_id` int32, the same for all of a list; `user_id` and `item_id` int32 rows of `users`
    and `items`; `timestamp` int64 Unix milliseconds of the request; `position` int32 from 1;
    `propensity` float64 above 0 to 1; `action` the strongest that it led to, "" for none; and
    float32 columns FEATURE_PREFIX + name of what the ranker read, NaN where that was not logged.

    relations: one row per relation, each once, none where none are told. `head`, `relation` and
    `tail` str; heads and tails that equal an item's id are that item, all others are entities.
    social: one row for each friend of a user, none where none are told. `user_id` and `friend_id`
    int32 rows of `users`, `weight` float64 above 0; by user, greatest weight first.
    vectors: float16 [items, width] by embedding space, in alphabetical order: what items bring
    along, L2-normalised, zeros where an item has none.

    attribute_types: one of ATTRIBUTE_TYPES for each attribute that any item may have.
    repeat: whether what a user has seen may be recommended again.
    """

    name: str
    interactions: pd.DataFrame
    items: pd.DataFrame
    users: pd.DataFrame
    attribute_types: Mapping[str, str]
    repeat: bool
    license: str
    report: CleaningReport
    impressions: pd.DataFrame = field(default_factory=pd.DataFrame)
    relations: pd.DataFrame = field(default_factory=pd.DataFrame)
    vectors: Mapping[str, npt.NDArray[np.float16]] = field(default_factory=dict)
    social: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def user_rows(self) -> npt.NDArray[np.int32]:
        """Row in `users` of each interaction, int32 [interactions]."""
        return np.asarray(self.interactions["user_id"].cat.codes, dtype=np.int32)

    @property
    def item_rows(self) -> npt.NDArray[np.int32]:
        """Row in `items` of each interaction, int32 [interactions]."""
        return np.asarray(self.interactions["item_id"].cat.codes, dtype=np.int32)
