"""Popularity: of all time, or of the seven days before the request."""

import numpy as np

from baselines.ranking import Scorer
from baselines.trial import Events, Float32, Requests, Trial
from baselines.validation import Settings

WEEK_MS = 7 * 86_400_000


def choose(trial: Trial, seed: int, budget: int | None) -> tuple[Settings, list[Settings]]:
    """Return no settings: there are none."""
    del trial, seed, budget
    return {}, []


def fit(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Score each item by its number of known events, the same for every request."""
    del settings, seed
    counts = events.popularity(trial.items)
    return lambda requests: np.repeat(counts[None], len(requests), axis=0)


def fit_week(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Score each item by its known events in the week before the request; all time breaks ties.

    The week ends with what is known: where requests come long after, it is the last known one.
    """
    del settings, seed
    order = np.argsort(events.time_ms, kind="stable")
    times, items = events.time_ms[order], events.item[order]
    counts = events.popularity(trial.items)
    tie_break = counts / (counts.max(initial=0.0) + 1.0)

    def score(requests: Requests) -> Float32:
        ends = np.minimum(requests.time_ms, times.max(initial=0) + 1)
        lows = np.searchsorted(times, ends - WEEK_MS, side="left")
        highs = np.searchsorted(times, ends, side="left")
        scores = np.repeat(tie_break[None], len(requests), axis=0)
        for row, (low, high) in enumerate(zip(lows, highs, strict=True)):
            scores[row] += np.bincount(items[low:high], minlength=trial.items)
        return scores

    return score
