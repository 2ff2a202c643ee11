"""Which events are learned from, which are chosen by, and which are tested on."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.events import EventArrays
from features.history import weights_of_actions
from training.interactions import Interactions
from training.settings import TrainSettings

Int64 = npt.NDArray[np.int64]
NONE = -1


@dataclass(frozen=True)
class Split:
    """Places of target events within each user's events; models see the events before a target.

    test, valid: int64 [users], the last target and the one before it, NONE where there is none.
    window: for each user the targets that the ranker learns from, ascending; for many none.
    fit_counts: int64 [users], the events that CF is fitted on while the ranker learns.
    """

    test: Int64
    valid: Int64
    window: list[Int64]
    fit_counts: Int64

    def before_test(self, interactions: Interactions) -> Int64:
        """Return how many events of each user precede the test target, int64 [users]."""
        return np.where(self.test >= 0, self.test, interactions.counts())


def targets_of(
    events: EventArrays, repeat: bool, brought: npt.NDArray[np.bool_] | None = None
) -> Int64:
    """Return the places of events that can be predicted, ascending.

    Dislikes are no targets, nor is what a list brought about, bool [events]. Unless people return
    to items, only the first event with an item is: a recommender leaves out what was seen. The very
    first event has nothing before it.
    """
    wanted = weights_of_actions(events.actions) > 0
    if brought is not None:
        wanted &= ~brought
    if not repeat:
        first = np.zeros(len(events), dtype=bool)
        first[np.unique(events.rows, return_index=True)[1]] = True
        wanted &= first
    wanted[:1] = False
    return np.flatnonzero(wanted)


def leave_last_out(
    interactions: Interactions,
    repeat: bool,
    settings: TrainSettings,
    *,
    test: bool = True,
    brought: npt.NDArray[np.bool_] | None = None,
) -> Split:
    """Hold out each user's last target for test and the one before it for validation.

    Without `test` the last target is the one for validation. brought: bool [events], which came
    about by lists and are no targets.

    Before those, the newest share of targets is the ranker's window. CF is fitted on what precedes
    the window, so that its scores of the window's items are not memories of them. Users have a
    window, drawn at random, until there are `settings.positions` targets, or the share
    `settings.window_of_all` of all events: of the others nothing need be withheld. Where people did
    little, models fitted without all their windows would be too unlike those that are served.
    """
    random = np.random.default_rng(settings.seed)
    counts = interactions.counts()
    tested = np.full(interactions.users, NONE)
    valid = np.full(interactions.users, NONE)
    fit_counts = counts.copy()
    window: list[Int64] = [np.empty(0, np.int64)] * interactions.users
    windowed = 0
    most = min(settings.positions, math.ceil(settings.window_of_all * len(interactions.events)))
    for user in random.permutation(interactions.users).tolist():
        own = slice(int(interactions.starts[user]), int(interactions.starts[user + 1]))
        by_list = None if brought is None else brought[own]
        targets = targets_of(interactions.events[own], repeat, by_list)
        if test and len(targets) > 0:
            tested[user] = fit_counts[user] = targets[-1]
            targets = targets[:-1]
        if len(targets) > 0:
            valid[user] = fit_counts[user] = targets[-1]
        learned = targets[:-1]
        share = int(settings.window_share * len(learned))
        size = min(max(share, settings.window_least), settings.window_most, len(learned) // 2)
        if size > 0 and windowed < most:
            window[user] = learned[len(learned) - size :]
            windowed += size
            fit_counts[user] = window[user][0]
    return Split(tested, valid, window, fit_counts)
