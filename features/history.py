"""What a user's events say about their taste, as one weight per event."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tandem.v1.event_pb2 import Action, HistoryEvent

Float32 = npt.NDArray[np.float32]

# How much an action speaks for an item. A rating is judged by its value, below.
ACTION_WEIGHT: dict[int, float] = {
    Action.ACTION_IMPRESSION: 0.0,
    Action.ACTION_VIEW: 1.0,
    Action.ACTION_CLICK: 1.0,
    Action.ACTION_LIKE: 1.5,
    Action.ACTION_PURCHASE: 2.0,
    Action.ACTION_DISMISS: -1.0,
    Action.ACTION_RATE: 1.0,
}
# In events, not days: whoever comes daily and whoever comes yearly forget by what came since.
RECENCY_HALF_LIFE_EVENTS = 30.0


def action_weights(history: Sequence[HistoryEvent]) -> Float32:
    """Return how much each event speaks for its item, float32 [n]: negative is a dislike.

    A rating counts as an interaction whatever its value: that somebody chose the item says more
    of their taste than the number that they gave it.
    """
    weights = (ACTION_WEIGHT.get(event.action, 0.0) for event in history)
    return np.fromiter(weights, dtype=np.float32, count=len(history))


def recency(count: int) -> Float32:
    """Return the recency factors of events, oldest first, float32 [count]: the newest has 1."""
    back = np.arange(count - 1, -1, -1, dtype=np.float32)
    return np.asarray(np.exp2(-back / RECENCY_HALF_LIFE_EVENTS), dtype=np.float32)


def history_weights(history: Sequence[HistoryEvent]) -> Float32:
    """Return the events' weights, oldest first, float32 [n]: what was done times how recently."""
    return action_weights(history) * recency(len(history))


def mean_vector(vectors_ND: Float32, weights_N: Float32) -> Float32:
    """Return the L2-normalised weighted mean of vectors [n, width] over positive weights [n].

    Zeros where no weight is positive.
    """
    positive = np.maximum(weights_N, 0.0)
    mean = positive @ vectors_ND
    norm = float(np.linalg.norm(mean))
    if norm < 1e-12:
        return np.zeros(vectors_ND.shape[1], dtype=np.float32)
    return (mean / norm).astype(np.float32)
