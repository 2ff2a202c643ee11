"""What is recorded before anything is asked, and what between the asks of a user."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.evaluation.trial import Trial

REQUEST, RATED = 0, 1


@dataclass(frozen=True)
class Step:
    """One ask of a user. kind: REQUEST or RATED. number: its place among those of its kind.

    rows: rows of the data set's interactions that are to be recorded before it, oldest first.
    """

    kind: int
    number: int
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReplayOrder:
    """first: bool [interactions], the rows that are recorded before all asks.

    steps: each user's asks, in the order of time.
    """

    first: npt.NDArray[np.bool_]
    steps: dict[int, list[Step]]

    def later_rows(self) -> set[int]:
        """Return the rows that are recorded between asks."""
        return {int(row) for steps in self.steps.values() for step in steps for row in step.rows}


def replay_order(trial: Trial) -> ReplayOrder:
    """Order a trial so that each ask meets exactly the past that its protocol grants.

    Known events of users of whom nothing is asked come first, too. What follows a user's last ask
    is never recorded.
    """
    events = trial.events
    asks = np.concatenate(
        [
            np.stack([of.users, of.ends, of.times_ms, of.rows, np.full(len(of), kind), numbers])
            for kind, of in ((REQUEST, trial.requests), (RATED, trial.rated))
            for numbers in [np.arange(len(of))]
        ],
        axis=1,
    ).T
    asks = asks[np.lexsort((asks[:, 3], asks[:, 2], asks[:, 0]))]
    until = events.starts[1:].copy()
    users, places = np.unique(asks[:, 0], return_index=True)
    until[users] = asks[places, 1]
    first_events = np.arange(len(events.events)) < until[events.user_rows()]
    asked = np.zeros(events.users, dtype=bool)
    asked[users] = True
    first_events &= np.where(asked[events.user_rows()], trial.past, trial.known)
    first = np.zeros(len(trial.dataset.interactions), dtype=bool)
    first[events.file_rows[first_events]] = True
    steps: dict[int, list[Step]] = {}
    for user, end, kind, number, start in _with_starts(asks):
        between = np.arange(start, end)
        rows = events.file_rows[between[trial.past[start:end]]]
        steps.setdefault(user, []).append(Step(kind, number, rows))
    return ReplayOrder(first, steps)


def _with_starts(asks: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield user, end, kind and number of each ask, and the end of the user's ask before it."""
    before, before_end = -1, 0
    for user, end, _, _, kind, number in asks.tolist():
        start = before_end if user == before else end
        yield user, end, kind, number, start
        before, before_end = user, end
