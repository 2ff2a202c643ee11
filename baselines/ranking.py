"""Ranked lists from scores, and how good they are on the validation events."""

from collections.abc import Callable

import numpy as np

from baselines.trial import DEPTH, Bool, Float32, Int32, Requests

Scorer = Callable[[Requests], Float32]
"""Scores every item for each request: float32 [requests, items], finite."""

BATCH_CELLS = 4_000_000


def batches(requests: Requests, items: int) -> list[tuple[int, int]]:
    """Return bounds of batches of requests whose scores stay small in memory."""
    size = max(1, min(512, BATCH_CELLS // max(items, 1)))
    return [(low, min(low + size, len(requests))) for low in range(0, len(requests), size)]


def best(scores: Float32, allowed: Bool, depth: int) -> Int32:
    """Return the best `depth` of the allowed items, best first; equal scores by item number.

    scores: float32 [items], finite. allowed: bool [items].
    """
    places = np.flatnonzero(allowed)
    values = -scores[places]
    if len(values) > depth:
        least = np.partition(values, depth - 1)[depth - 1]
        close = values <= least
        places, values = places[close], values[close]
    return places[np.argsort(values, kind="stable")[:depth]].astype(np.int32)


def rank(
    scorer: Scorer, requests: Requests, popularity: Float32, repeat: bool, depth: int = DEPTH
) -> tuple[Int32, Float32]:
    """Rank the whole catalogue for each request; return items and scores, [R, depth] each.

    Items of the history are left out unless `repeat`. A request whose history holds no item that
    the fit knows is answered by popularity, float32 [items], whatever the scorer says.
    """
    items = len(popularity)
    ranked = np.full((len(requests), depth), -1, dtype=np.int32)
    values = np.full((len(requests), depth), np.nan, dtype=np.float32)
    for low, high in batches(requests, items):
        part = requests.part(low, high)
        scores = scorer(part)
        for row in range(len(part)):
            history = part.history(row)
            of_items = scores[row] if popularity[history].any() else popularity
            allowed = np.ones(items, dtype=bool)
            if not repeat:
                allowed[history] = False
            found = best(of_items, allowed, depth)
            ranked[low + row, : len(found)] = found
            values[low + row, : len(found)] = of_items[found]
    return ranked, values


def ndcg(ranked: Int32, targets: Int32, k: int = 10) -> float:
    """Return the mean NDCG@k of one target per request; 0 where the target is not in the list."""
    hits = ranked[:, :k] == targets[:, None]
    gains = 1.0 / np.log2(np.arange(2, min(k, ranked.shape[1]) + 2))
    return float((hits * gains).sum(axis=1).mean()) if len(targets) else 0.0


def with_unknown_last(scores: Float32, known: Bool) -> Float32:
    """Put items that the fit never saw, ~known, below all others, in place; return scores."""
    if not known.all():
        scores[:, ~known] = scores[:, known].min(axis=1, keepdims=True, initial=0.0) - 1.0
    return scores
