"""Protocols: what is predicted, what models learn from, what a request may look back on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.history import weights_of_actions
from training.datasets.format import Dataset
from training.errors import TrainingError
from training.interactions import Interactions
from training.split import targets_of

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
NAMES = ("loo", "time", "given")
FOLD_SEED = 11


@dataclass(frozen=True)
class Protocol:
    """What is held out.

    name: one of NAMES. targets: of `loo`, how many last events of each user are predicted. cut: of
    `time`, the share of events that are newest; cut_ms: the cut itself, Unix milliseconds, instead.
    liked: of `time`, the least rating of a target; unrated events count as liked. folds: of `loo`,
    into how many parts users are divided, 0 for not at all; fold: the part whose users are tested.
    """

    name: str = "loo"
    targets: int = 1
    cut: float = 0.1
    cut_ms: int | None = None
    liked: float = 4.0
    folds: int = 0
    fold: int = 0


@dataclass(frozen=True)
class Holdout:
    """A protocol applied to events; all arrays go by places in them.

    known: bool [events], what models learn from. past: bool [events], what a request's history may
    hold, as far as it precedes the request. targets: int64 [T], ascending.
    """

    known: Bool
    past: Bool
    targets: Int64


def hold_out(dataset: Dataset, events: Interactions, repeat: bool, protocol: Protocol) -> Holdout:
    """Apply a protocol. Raises TrainingError where it leaves nothing to learn from."""
    if protocol.folds and protocol.name != "loo":
        raise TrainingError(f"folds divide the users of the protocol loo, not of {protocol.name}")
    rules: Mapping[str, Callable[[], Holdout]] = {
        "loo": lambda: _leave_last_out(events, repeat, protocol),
        "time": lambda: _cut_in_time(events, repeat, protocol),
        "given": lambda: _given(dataset, events, repeat),
    }
    held = rules[protocol.name]()
    if not held.known.any():
        raise TrainingError(f"the protocol {protocol.name} leaves no event to learn from")
    return held


def _leave_last_out(events: Interactions, repeat: bool, protocol: Protocol) -> Holdout:
    """Predict each user's last targets, and learn from what precedes the first of them.

    What can be predicted is `targets_of`: whatever the rating, but no dislikes, nothing seen before
    unless people return to items, and not the very first event, so that something is left.
    """
    known = np.ones(len(events.events), dtype=bool)
    folds = np.random.default_rng(FOLD_SEED).permutation(events.users) % max(protocol.folds, 1)
    chosen = []
    for user in np.flatnonzero(folds == protocol.fold):
        start, end = events.starts[user], events.starts[user + 1]
        last = targets_of(events.of(int(user)), repeat)[-protocol.targets :]
        if len(last):
            known[start + last[0] : end] = False
            chosen.append(start + last)
    targets = np.concatenate(chosen) if chosen else np.zeros(0, np.int64)
    return Holdout(known, np.ones_like(known), targets)


def _cut_in_time(events: Interactions, repeat: bool, protocol: Protocol) -> Holdout:
    """Learn from what precedes one moment and predict what is liked after it.

    Events of the very moment come after it.
    """
    times = events.events.times_ms
    moment = protocol.cut_ms
    if moment is None:
        moment = int(np.quantile(times, 1.0 - protocol.cut, method="higher"))
    known = times < moment
    past = np.ones_like(known)
    ratings = events.events.ratings
    liked = np.isnan(ratings) | (ratings >= protocol.liked)
    return Holdout(known, past, _predictable(events, past, repeat, ~known & liked))


def _given(dataset: Dataset, events: Interactions, repeat: bool) -> Holdout:
    """Learn from all rows but those marked test, and predict those of them that are not disliked.

    A request looks back on known rows alone.
    """
    tested = (dataset.interactions["split"] == "test").to_numpy()
    if not tested.any():
        raise TrainingError("the protocol given needs rows whose split is test; there are none")
    disliked = is_liked(dataset.interactions["label"].to_numpy(np.float64)) == 0
    known = ~tested[events.file_rows]
    wanted = ~known & ~disliked[events.file_rows]
    return Holdout(known, known, _predictable(events, known, repeat, wanted))


def is_liked(labels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return labels as 1 and 0, NaN where unknown: 1 above the middle of their range.

    So 0 and 1 stay what they are, -1 and 1 become 0 and 1, and of 1 to 5 stars 4 and 5 are likes.
    """
    known = labels[np.isfinite(labels)]
    if not len(known):
        return labels
    low, high = known.min(), known.max()
    middle = (low + high) / 2 if high > low else 0.5
    return np.where(np.isfinite(labels), labels > middle, np.nan)


def _predictable(events: Interactions, past: Bool, repeat: bool, wanted: Bool) -> Int64:
    """Return the places of wanted events that are no dislikes and, unless `repeat`, not seen."""
    wanted = wanted & (weights_of_actions(events.events.actions) > 0)
    if not repeat:
        pairs = events.user_rows() * events.items + events.events.rows
        _, pair = np.unique(pairs, return_inverse=True)
        places = np.arange(len(pairs))
        first_past = np.full(pair.max(initial=-1) + 1, len(pairs))
        np.minimum.at(first_past, pair[past], places[past])
        wanted &= places <= first_past[pair]
    return np.flatnonzero(wanted)
