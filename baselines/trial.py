"""The trial: what an evaluation hands to a system, and the result that the system hands back."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

DEPTH = 500

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]


class NotApplicable(Exception):
    """The system cannot be run on this trial; the message says why."""


@dataclass(frozen=True)
class Events:
    """Positive events, sorted by user, then time, ties in file order.

    user, item: int32 [E]. time_ms: int64 [E], milliseconds of Unix time.
    """

    user: Int32
    item: Int32
    time_ms: Int64

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: Bool) -> "Events":
        """Return the events for which keep, bool [E], holds."""
        return Events(self.user[keep], self.item[keep], self.time_ms[keep])

    def starts(self, users: int) -> Int64:
        """Return where each user's events begin, int64 [users + 1]."""
        return np.searchsorted(self.user, np.arange(users + 1)).astype(np.int64)

    def matrix(self, users: int, items: int) -> sparse.csr_matrix:
        """Return how often each user met each item, float32 [users, items]."""
        ones = np.ones(len(self), dtype=np.float32)
        return sparse.csr_matrix((ones, (self.user, self.item)), shape=(users, items))

    def popularity(self, items: int) -> Float32:
        """Return each item's number of events, float32 [items]."""
        return np.bincount(self.item, minlength=items).astype(np.float32)


@dataclass(frozen=True)
class Requests:
    """Requests with the user's positive events before each, oldest first.

    user: int32 [R]. time_ms: int64 [R]. start: int64 [R + 1], the bounds of each request's history
    in item, int32 [H], and item_time_ms, int64 [H].
    """

    user: Int32
    time_ms: Int64
    start: Int64
    item: Int32
    item_time_ms: Int64

    def __len__(self) -> int:
        return len(self.user)

    def history(self, request: int) -> Int32:
        """Return the items before a request, oldest first, repeats kept."""
        return self.item[self.start[request] : self.start[request + 1]]

    def part(self, first: int, last: int) -> "Requests":
        """Return the requests first..last - 1."""
        low, high = self.start[first], self.start[last]
        return Requests(
            self.user[first:last],
            self.time_ms[first:last],
            self.start[first : last + 1] - low,
            self.item[low:high],
            self.item_time_ms[low:high],
        )

    def matrix(self, items: int) -> sparse.csr_matrix:
        """Return how often each item stands in each history, float32 [R, items]."""
        row = np.repeat(np.arange(len(self)), np.diff(self.start))
        ones = np.ones(len(self.item), dtype=np.float32)
        return sparse.csr_matrix((ones, (row, self.item)), shape=(len(self), items))

    @staticmethod
    def within(
        events: Events, lows: Int64, highs: Int64, user: Int32, time_ms: Int64
    ) -> "Requests":
        """Return requests of which each has the events lows[r]..highs[r] - 1 as its history."""
        start = np.concatenate([[0], np.cumsum(highs - lows)]).astype(np.int64)
        taken = np.arange(start[-1]) + np.repeat(lows - start[:-1], highs - lows)
        return Requests(user, time_ms, start, events.item[taken], events.time_ms[taken])

    @staticmethod
    def before(events: Events, places: Int64, users: int) -> "Requests":
        """Return one request for each event at `places`, with its user's events before it."""
        user = events.user[places]
        return Requests.within(
            events, events.starts(users)[user], places, user, events.time_ms[places]
        )


@dataclass(frozen=True)
class Labelled:
    """Rows with a like (1) or dislike (0), or a rating; label: float32 [K]."""

    user: Int32
    item: Int32
    time_ms: Int64
    label: Float32

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class Trial:
    """What a system may see. The targets of the requests are not among it.

    repeat: items of the past may be recommended again. score_*: rows whose label is to be scored.
    """

    users: int
    items: int
    repeat: bool
    known: Events
    labelled: Labelled
    requests: Requests
    score_user: Int32
    score_item: Int32
    score_time_ms: Int64


@dataclass(frozen=True)
class Result:
    """What a system answers.

    ranked: int32 [R, DEPTH], best first, -1 where fewer. scores: float32 [R, DEPTH], NaN there.
    label_scores: float32 [L], NaN where the system cannot score. settings: as chosen. grid: what
    was tried, each with its validation NDCG@10.
    """

    ranked: Int32
    scores: Float32
    label_scores: Float32
    settings: dict[str, Any]
    grid: list[dict[str, Any]]


def load(path: Path) -> Trial:
    """Read a trial.npz."""
    with np.load(path, allow_pickle=False) as arrays:
        known = Events(arrays["known_user"], arrays["known_item"], arrays["known_time_ms"])
        labelled = Labelled(
            arrays["labelled_known_user"],
            arrays["labelled_known_item"],
            arrays["labelled_known_time_ms"],
            arrays["labelled_known_label"],
        )
        requests = Requests(
            arrays["request_user"],
            arrays["request_time_ms"],
            arrays["history_start"],
            arrays["history_item"],
            arrays["history_time_ms"],
        )
        return Trial(
            int(arrays["users"]),
            int(arrays["items"]),
            bool(arrays["repeat"]),
            known,
            labelled,
            requests,
            arrays["score_user"],
            arrays["score_item"],
            arrays["score_time_ms"],
        )


def score_requests(trial: Trial) -> tuple[Requests, Int64]:
    """Return one request per user with rows to be scored, and each row's request, int64 [L].

    The history is what is known of the user until the first of those rows.
    """
    users, row = np.unique(trial.score_user, return_inverse=True)
    first = np.full(len(users), np.iinfo(np.int64).max)
    np.minimum.at(first, row, trial.score_time_ms)
    bounds = trial.known.starts(trial.users)
    lows, highs = bounds[users], bounds[users + 1]
    for place, time_ms in enumerate(first):
        times = trial.known.time_ms[lows[place] : highs[place]]
        highs[place] = lows[place] + np.searchsorted(times, time_ms, side="right")
    requests = Requests.within(trial.known, lows, highs, users.astype(np.int32), first)
    return requests, row.astype(np.int64)


def save(out: Path, result: Result, report: dict[str, Any]) -> None:
    """Write result.npz and result.json into the directory `out`, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    half = out / "half.npz"
    np.savez(half, ranked=result.ranked, scores=result.scores, label_scores=result.label_scores)
    half.replace(out / "result.npz")
    half = out / "half.json"
    half.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    half.replace(out / "result.json")
