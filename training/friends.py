"""What friends of users used, as it was known at any moment: what serving reads of its store."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from features.events import EventArrays
from features.friends import FRIENDS_ASKED, NO_ITEMS, USES_EACH, FriendsItems, weigh_uses
from features.history import weights_of_actions
from training.datasets.format import Dataset
from training.interactions import Interactions

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Friends:
    """Friends whose uses count, and these uses.

    starts: int64 [users + 1], where each user's friends begin in friends: int32 [n], users by row,
    and closeness: float64 [n], their weights; greatest first. used: what speaks for an item of what
    anybody did.
    """

    starts: Int64 = field(default_factory=lambda: np.zeros(1, np.int64))
    friends: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    closeness: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    used: Interactions | None = None

    def __len__(self) -> int:
        return len(self.friends)

    def items_before(self, user: int, time_ms: int) -> FriendsItems:
        """Return what a user's friends used before a moment, by row."""
        if self.used is None or user + 1 >= len(self.starts):
            return NO_ITEMS
        own = slice(int(self.starts[user]), int(self.starts[user + 1]))
        events, places, counts = self.used.events, [], []
        for friend in self.friends[own].tolist():
            first, end = int(self.used.starts[friend]), int(self.used.starts[friend + 1])
            end = first + int(np.searchsorted(events.times_ms[first:end], time_ms))
            newest = np.arange(max(first, end - USES_EACH), end)
            places.append(newest)
            counts.append(len(newest))
        if not sum(counts):
            return NO_ITEMS
        at = np.concatenate(places)
        of = np.repeat(np.arange(len(counts)), counts)
        ages = time_ms - events.times_ms[at]
        return weigh_uses(events.rows[at], of, self.closeness[own][of], events.actions[at], ages)

    def of_users(self, users: npt.NDArray[np.integer]) -> "Friends":
        """Return the same for users who are to be known by other rows: n is the users' n-th [n]."""
        if self.used is None:
            return self
        counts = np.diff(self.starts)[users]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        within = np.arange(int(starts[-1])) - np.repeat(starts[:-1], counts)
        at = np.repeat(self.starts[users], counts) + within
        return replace(self, starts=starts, friends=self.friends[at], closeness=self.closeness[at])

    def by_rows(self, rows: Int32) -> "Friends":
        """Return the same with items by other rows [items]; those that have none (-1) go."""
        if self.used is None:
            return self
        kept = self.used.where(rows[self.used.events.rows] >= 0)
        events: EventArrays = replace(kept.events, rows=rows[kept.events.rows])
        return replace(self, used=replace(kept, events=events))


NO_FRIENDS = Friends()


def collect_friends(dataset: Dataset, events: Interactions) -> Friends:
    """Return the friends of a data set of whom both sides allow it, and what they used of events.

    Of each user those of greatest weight, as many as serving asks.
    """
    if dataset.social.empty:
        return NO_FRIENDS
    shares = dataset.users["friends_enabled"].to_numpy(bool)
    users, others = (dataset.social[name].to_numpy() for name in ("user_id", "friend_id"))
    allowed = dataset.social[shares[users] & shares[others]]
    asked = allowed[allowed.groupby("user_id").cumcount() < FRIENDS_ASKED]
    if asked.empty:
        return NO_FRIENDS
    starts = np.searchsorted(asked["user_id"].to_numpy(), np.arange(len(dataset.users) + 1))
    return Friends(
        starts.astype(np.int64),
        asked["friend_id"].to_numpy(np.int32),
        asked["weight"].to_numpy(np.float64),
        events.where(weights_of_actions(events.events.actions) > 0),
    )
