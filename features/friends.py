"""What friends used lately, as one weight for each item."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.history import weights_of_actions
from features.popularity import HALF_LIFE_MS

# A list of friends holds so many at most; of those who allow it, so many of the greatest weight are
# asked, and of each the newest uses.
FRIENDS_KEPT = 500
FRIENDS_ASKED = 30
USES_EACH = 20
# Items that travel with a request, more than any source gives.
ITEMS_MOST = 1_000
WEIGHT_MOST = 1_000_000.0
# What is older than all of them is as old as can be told.
HALVINGS_MOST = 20.0

Int64 = npt.NDArray[np.int64]


class FriendsItems(NamedTuple):
    """What friends used: distinct codes of items, int64 [n], and weights, float32 [n], greatest
    first.
    """

    items: Int64
    weights: npt.NDArray[np.float32]


NO_ITEMS = FriendsItems(np.empty(0, np.int64), np.empty(0, np.float32))


def weigh_uses(
    items: Sequence[int] | npt.NDArray[np.integer],
    friends: Sequence[int] | npt.NDArray[np.integer],
    closeness: Sequence[float] | npt.NDArray[np.floating],
    actions: Sequence[int] | npt.NDArray[np.integer],
    ages_ms: Sequence[float] | npt.NDArray[np.number],
) -> FriendsItems:
    """Return the weights of items from what friends did, each argument [uses].

    items, friends: any codes from 0. closeness: the friend's weight. ages_ms: milliseconds since.
    Of what one friend did with an item the weightiest counts, by action and halved for every 30
    days; that of several friends is added up. What does not speak for an item counts nothing.
    """
    item, friend = np.asarray(items, np.int64), np.asarray(friends, np.int64)
    halvings = np.clip(np.asarray(ages_ms, np.float64) / HALF_LIFE_MS, 0.0, HALVINGS_MOST)
    liked = weights_of_actions(np.asarray(actions, np.int32)).astype(np.float64)
    weights = np.asarray(closeness, np.float64) * liked * np.exp2(-halvings)
    used = weights > 0
    if not used.any():
        return NO_ITEMS
    item, friend, weights = item[used], friend[used], weights[used]
    # Of equal friend and item the weightiest comes last, and stays.
    order = np.lexsort((weights, friend, item))
    last = np.append((np.diff(item[order]) != 0) | (np.diff(friend[order]) != 0), True)
    kept = order[last]
    distinct, of = np.unique(item[kept], return_inverse=True)
    sums = np.bincount(of, weights[kept]).astype(np.float32)
    best = np.argsort(-sums, kind="stable")[:ITEMS_MOST]
    return FriendsItems(distinct[best], sums[best])
