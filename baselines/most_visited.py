"""Most visited: the items of the user's own past, by count, then by how recent."""

import numpy as np

from baselines.ranking import Scorer
from baselines.trial import Events, Float32, NotApplicable, Requests, Trial
from baselines.validation import Settings


def choose(trial: Trial, seed: int, budget: int | None) -> tuple[Settings, list[Settings]]:
    """Return no settings: there are none."""
    del trial, seed, budget
    return {}, []


def fit(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Score the own past above everything else; the rest follows by popularity.

    Raises NotApplicable where items of the past are not recommended again.
    """
    del settings, seed
    if not trial.repeat:
        raise NotApplicable("most_visited recommends the own past; this trial leaves it out")
    counts = events.popularity(trial.items)
    rest = counts / (counts.max(initial=0.0) + 1.0) - 1.0

    def score(requests: Requests) -> Float32:
        scores = np.repeat(rest[None], len(requests), axis=0)
        for row in range(len(requests)):
            history = requests.history(row)
            recency = np.zeros(trial.items, dtype=np.float32)
            recency[history] = np.arange(1, len(history) + 1) / (len(history) + 1)
            visits = np.bincount(history, minlength=trial.items)
            own = visits > 0
            scores[row, own] = visits[own] + recency[own]
        return scores

    return score
