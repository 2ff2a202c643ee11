"""Interactions as arrays by user and time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.events import EventArrays
from features.history import weights_of_actions
from tandem.v1.event_pb2 import Action
from training.datasets.format import Dataset


@dataclass(frozen=True)
class Interactions:
    """All events, sorted by user, then time; ties in time keep the order of the file.

    events: arrays over all events. starts: int64 [users + 1], where each user's events begin.
    items: how many items there are.
    """

    events: EventArrays
    starts: npt.NDArray[np.int64]
    items: int

    @property
    def users(self) -> int:
        """How many users there are."""
        return len(self.starts) - 1

    def of(self, user: int) -> EventArrays:
        """Return one user's events, oldest first."""
        return self.events[slice(int(self.starts[user]), int(self.starts[user + 1]))]

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how many events each user has, int64 [users]."""
        return np.diff(self.starts)

    def first(self, counts: npt.NDArray[np.int64]) -> "Interactions":
        """Return the first `counts` [users] events of each user."""
        users = np.repeat(np.arange(self.users), self.counts())
        place = np.arange(len(users)) - self.starts[users]
        keep = place < counts[users]
        kept = EventArrays(
            self.events.rows[keep],
            self.events.actions[keep],
            self.events.times_ms[keep],
            self.events.ratings[keep],
            self.events.offsets_min[keep],
        )
        starts = np.concatenate([[0], np.cumsum(np.minimum(counts, self.counts()))])
        return Interactions(kept, starts.astype(np.int64), self.items)

    def matrix(self) -> sparse.csr_matrix:
        """Return positive weights as a sparse matrix [users, items], repeats added up."""
        users = np.repeat(np.arange(self.users), self.counts())
        weights = weights_of_actions(self.events.actions)
        used = weights > 0
        return sparse.csr_matrix(
            (weights[used], (users[used], self.events.rows[used])), shape=(self.users, self.items)
        )


def interactions_of(dataset: Dataset) -> Interactions:
    """Return a data set's interactions by user, without impressions: those say what was shown."""
    frame = dataset.interactions
    actions = np.array(
        [Action.Value(f"ACTION_{name.upper()}") for name in frame.action.cat.categories]
    )
    numbers = actions[frame.action.cat.codes.to_numpy()]
    used = numbers != Action.ACTION_IMPRESSION
    users = frame.user_id.cat.codes.to_numpy()[used]
    times = frame.timestamp.to_numpy(np.int64)[used]
    order = np.lexsort((np.arange(len(users)), times, users))
    offsets = np.nan_to_num(frame.utc_offset_minutes.to_numpy(np.float64))[used]
    events = EventArrays(
        rows=frame.item_id.cat.codes.to_numpy().astype(np.int32)[used][order],
        actions=numbers[used][order].astype(np.int32),
        times_ms=times[order],
        ratings=frame.rating.to_numpy(np.float32)[used][order],
        offsets_min=offsets.astype(np.int32)[order],
    )
    starts = np.searchsorted(users[order], np.arange(len(dataset.users) + 1))
    return Interactions(events, starts.astype(np.int64), len(dataset.items))
