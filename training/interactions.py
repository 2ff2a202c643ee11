"""Interactions as arrays by user and time."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.events import EventArrays
from features.history import weights_of_actions
from features.senses import Senses
from tandem.v1.event_pb2 import Action
from training.datasets.format import Dataset


@dataclass(frozen=True)
class Interactions:
    """All events, sorted by user, then time; ties in time keep the order of the file.

    events: arrays over all events. starts: int64 [users + 1], where each user's events begin.
    items: how many items there are. file_rows: int64 [events], each event's row in the data set's
    interactions. regions: of each user, "" where unknown; empty where no user's is known.
    """

    events: EventArrays
    starts: npt.NDArray[np.int64]
    items: int
    file_rows: npt.NDArray[np.int64]
    regions: tuple[str, ...] = ()

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
        users = self.user_rows()
        return self.where(np.arange(len(users)) - self.starts[users] < counts[users])

    def where(self, keep: npt.NDArray[np.bool_]) -> "Interactions":
        """Return some of the events, `keep` [events]; the users stay the same."""
        counts = np.bincount(self.user_rows()[keep], minlength=self.users)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return replace(
            self, events=self.events.take(keep), starts=starts, file_rows=self.file_rows[keep]
        )

    def of_users(self, users: npt.NDArray[np.int64]) -> "Interactions":
        """Return all events of some users, ascending rows [n], who become rows 0 to n - 1."""
        chosen = np.zeros(self.users, dtype=bool)
        chosen[users] = True
        keep = np.repeat(chosen, self.counts())
        starts = np.concatenate([[0], np.cumsum(self.counts()[users])]).astype(np.int64)
        return Interactions(self.events.take(keep), starts, self.items, self.file_rows[keep])

    def sensed_by(self, senses: Senses) -> "Interactions":
        """Return the events as they are with some senses."""
        regions = self.regions if senses.place else ()
        return replace(self, events=senses.of_events(self.events), regions=regions)

    def user_rows(self) -> npt.NDArray[np.int64]:
        """Return each event's user, int64 [events]."""
        return np.repeat(np.arange(self.users), self.counts())

    def matrix(self) -> sparse.csr_matrix:
        """Return positive weights as a sparse matrix [users, items], repeats added up."""
        users = self.user_rows()
        weights = weights_of_actions(self.events.actions)
        used = weights > 0
        return sparse.csr_matrix(
            (weights[used], (users[used], self.events.rows[used])), shape=(self.users, self.items)
        )


def chronological(dataset: Dataset) -> npt.NDArray[np.int64]:
    """Return the rows of `dataset.interactions` by user, then time, without impressions.

    Impressions say what was shown, not what was done.
    """
    frame = dataset.interactions
    used = np.flatnonzero((frame.action != "impression").to_numpy())
    times = frame.timestamp.to_numpy(np.int64)[used]
    return used[np.lexsort((used, times, dataset.user_rows[used]))]


def interactions_of(dataset: Dataset) -> Interactions:
    """Return a data set's interactions by user, without impressions."""
    frame, rows = dataset.interactions, chronological(dataset)
    names = frame.action.cat.categories
    numbers = np.array([Action.Value(f"ACTION_{name.upper()}") for name in names], np.int32)
    offsets = np.nan_to_num(frame.utc_offset_minutes.to_numpy(np.float64))
    latitudes, longitudes = _places(dataset, rows)
    events = EventArrays(
        rows=dataset.item_rows[rows],
        actions=numbers[frame.action.cat.codes.to_numpy()[rows]],
        times_ms=frame.timestamp.to_numpy(np.int64)[rows],
        ratings=frame.rating.to_numpy(np.float32)[rows],
        offsets_min=offsets[rows].astype(np.int32),
        latitudes=latitudes,
        longitudes=longitudes,
    )
    starts = np.searchsorted(dataset.user_rows[rows], np.arange(len(dataset.users) + 1))
    regions = tuple(dataset.users["region_code"]) if dataset.users["region_code"].any() else ()
    return Interactions(events, starts.astype(np.int64), len(dataset.items), rows, regions)


def _places(
    dataset: Dataset, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return where users were, or else where the items are, [events] each, NaN where unknown."""
    frame, items, of_item = dataset.interactions, dataset.items, dataset.item_rows[rows]
    latitudes, longitudes = (frame[name].to_numpy(np.float32)[rows] for name in ("lat", "lon"))
    unknown = np.isnan(latitudes)
    return (
        np.where(unknown, items["lat"].to_numpy(np.float32)[of_item], latitudes),
        np.where(unknown, items["lon"].to_numpy(np.float32)[of_item], longitudes),
    )
