"""A trial: what systems may learn from, and what is asked of them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.history import weights_of_actions
from training.datasets.format import Dataset
from training.errors import TrainingError
from training.evaluation.protocols import Bool, Int64, Protocol, hold_out, is_liked
from training.interactions import Interactions, interactions_of

SAMPLE_SEED = 7


@dataclass(frozen=True)
class Asks:
    """Moments at which something is asked about a user and an item.

    rows: int64 [A], rows of the data set's interactions. users, items: int64 [A]. times_ms: int64
    [A]. ends: int64 [A], the place in the trial's events before which the past lies.
    """

    rows: Int64
    users: Int64
    items: Int64
    times_ms: Int64
    ends: Int64

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, part: npt.NDArray[np.integer] | Bool) -> "Asks":
        """Return some of them."""
        return Asks(
            self.rows[part],
            self.users[part],
            self.items[part],
            self.times_ms[part],
            self.ends[part],
        )


@dataclass(frozen=True)
class Trial:
    """One split of a data set and what is asked on it.

    events: all events without impressions. known, past: bool [events], as in Holdout. requests: a
    ranked list is asked for at the time of each target. requests_all: how many there are before
    sampling. rated: the labelled test rows to be scored, labels: float64 [rated], 1 or 0.
    noise: how many events were made up.
    """

    dataset: Dataset
    protocol: Protocol
    repeat: bool
    events: Interactions
    known: Bool
    past: Bool
    requests: Asks
    requests_all: int
    rated: Asks
    rated_all: int
    labels: npt.NDArray[np.float64]
    noise: int = 0

    @property
    def positive(self) -> Bool:
        """Which events speak for their item: all but dislikes, whatever the rating; [events]."""
        return weights_of_actions(self.events.events.actions) > 0

    def training(self) -> Interactions:
        """Return the events that models learn from."""
        return self.events.where(self.known)

    def histories(self, asks: Asks, *, positive: bool = True) -> tuple[Int64, Int64]:
        """Return what precedes each ask: bounds int64 [A + 1] into places int64 [H] of events.

        With `positive` without dislikes.
        """
        used = self.past & self.positive if positive else self.past
        places = np.flatnonzero(used)
        before = np.concatenate([[0], np.cumsum(used)])
        lows, highs = before[self.events.starts[asks.users]], before[asks.ends]
        bounds = np.concatenate([[0], np.cumsum(highs - lows)]).astype(np.int64)
        taken = np.arange(bounds[-1]) + np.repeat(lows - bounds[:-1], highs - lows)
        return bounds, places[taken]

    def popularity(self) -> Int64:
        """Return each item's number of known positive events, int64 [items]."""
        rows = self.events.events.rows[self.known & self.positive]
        return np.bincount(rows, minlength=self.events.items)


def make_trial(
    dataset: Dataset,
    protocol: Protocol,
    *,
    repeat: bool | None = None,
    requests: int = 5_000,
    rated: int = 20_000,
) -> Trial:
    """Apply a protocol to a data set. Raises TrainingError where nothing is left to ask.

    repeat: whether seen items may be recommended, by default as the data set says. requests: how
    many at most, drawn by a fixed seed, so that every system and every seed gets the same; rated:
    the same for labelled rows, of which whole users are drawn. 0 is all.
    """
    dataset = dataset if repeat is None else replace(dataset, repeat=repeat)
    events = interactions_of(dataset)
    held = hold_out(dataset, events, dataset.repeat, protocol)
    sample = np.random.default_rng(SAMPLE_SEED)
    targets = held.targets
    if requests and len(targets) > requests:
        targets = np.sort(sample.choice(targets, requests, replace=False))
    labels = is_liked(dataset.interactions["label"].to_numpy(np.float64))
    labelled = np.zeros(0, np.int64)
    if protocol.name == "given":
        tested = (dataset.interactions["split"] == "test").to_numpy()
        labelled = np.flatnonzero(tested & np.isfinite(labels))
    scored = _some_users(labelled, dataset.user_rows[labelled].astype(np.int64), rated, sample)
    if not len(targets) and not len(scored):
        unrated = f"; is one rated {protocol.liked:g} or more?" if protocol.name == "time" else ""
        raise TrainingError(f"the protocol {protocol.name} leaves no event to predict{unrated}")
    return Trial(
        dataset=dataset,
        protocol=protocol,
        repeat=dataset.repeat,
        events=events,
        known=held.known,
        past=held.past,
        requests=asks_at(dataset, events, events.file_rows[targets]),
        requests_all=len(held.targets),
        rated=asks_at(dataset, events, scored),
        rated_all=len(labelled),
        labels=labels[scored],
    )


def asks_at(dataset: Dataset, events: Interactions, rows: Int64) -> Asks:
    """Return asks at some rows of a data set's interactions."""
    users, items = dataset.user_rows[rows].astype(np.int64), dataset.item_rows[rows]
    times = dataset.interactions["timestamp"].to_numpy(np.int64)[rows]
    # Events and asks in one order, an ask before the event of its own row.
    is_event = np.repeat([1, 0], [len(events.events), len(rows)])
    order = np.lexsort(
        (
            is_event,
            np.concatenate([events.file_rows, rows]),
            np.concatenate([events.events.times_ms, times]),
            np.concatenate([events.user_rows(), users]),
        )
    )
    ends = np.zeros(len(order), np.int64)
    ends[order] = np.cumsum(is_event[order])
    return Asks(rows, users, items.astype(np.int64), times, ends[len(events.events) :])


def _some_users(rows: Int64, users: Int64, most: int, random: np.random.Generator) -> Int64:
    """Return all rows of users drawn until there are about `most` rows; ascending."""
    if not most or len(rows) <= most:
        return rows
    distinct, counts = np.unique(users, return_counts=True)
    order = random.permutation(len(distinct))
    enough = int(np.searchsorted(np.cumsum(counts[order]), most)) + 1
    return rows[np.isin(users, distinct[order[:enough]])]
