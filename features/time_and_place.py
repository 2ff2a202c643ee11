"""How a candidate suits hour and place: by itself, and by what its user does then and there."""

import numpy as np
import numpy.typing as npt

from features.candidate_items import CandidateItems
from features.places import closeness, distances_km, unit_vectors, within_reach
from features.user_view import ReleaseTables, UserView

Float32 = npt.NDArray[np.float32]
TIME_FEATURES = ["hour_lift", "text_like_hour", "cf_like_hour", "used_at_hour"]
RETURN_FEATURES = ["used_lately", "used_after_last"]
PLACE_FEATURES = ["near_now", "near_haunts", "near_at_hour"]


def time_features(
    tables: ReleaseTables,
    user: UserView,
    items: CandidateItems,
    directions: Float32,
    used_then: Float32,
) -> Float32:
    """Return TIME_FEATURES, float32 [n, 4].

    How much more the item is wanted at this hour than at others; how like it is to what the user
    uses at such hours, by text and by CF; and how often they used the item itself then.
    directions: float32 [n, F], unit CF factors. used_then: float32 [n], events with the item, each
    by how alike its hour is.
    """
    habits = user.habits
    return np.column_stack(
        [
            tables.rhythms.at(user.moment, items.rows, items.vectors),
            items.vectors @ habits.text,
            directions @ habits.factor,
            np.log1p(used_then),
        ]
    ).astype(np.float32)


def return_features(user: UserView, rows: npt.NDArray[np.int32], used_lately: Float32) -> Float32:
    """Return RETURN_FEATURES, float32 [n, 2].

    How often the item was used, of late above all, and how often right after the newest item.
    used_lately: float32 [n], events with the item, each by `Habits.weights`.
    """
    came_after = (rows[:, None] == user.habits.followers[None, :]).sum(axis=1)
    return np.column_stack([np.log1p(used_lately), np.log1p(came_after)]).astype(np.float32)


def place_features(user: UserView, items: CandidateItems) -> Float32:
    """Return PLACE_FEATURES, float32 [n, 3].

    How close the item is to where the user is; how much of what they did was within reach of it,
    and how much of that at such hours. Zeros where places are not known.
    """
    points = unit_vectors(items.latitudes, items.longitudes)
    features = np.zeros((len(items), len(PLACE_FEATURES)), np.float32)
    if not np.isfinite(points).any():
        return features
    moment, habits = user.moment, user.habits
    features[:, 0] = closeness(distances_km(points, moment.point[None])[:, 0])
    if len(habits.haunts):
        reached = within_reach(distances_km(points, habits.haunts))
        features[:, 1] = np.log1p(reached @ habits.haunt_weights)
        features[:, 2] = np.log1p(reached @ (habits.haunt_weights * habits.haunts_alike))
    return features
