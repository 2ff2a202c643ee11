"""What a user's events say about their taste, as one weight per event."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tandem.v1.event_pb2 import Action, HistoryEvent

Float32 = npt.NDArray[np.float32]

# How much an action speaks for an item, by the action's number. A rating counts as an interaction
# whatever its value: that somebody chose the item says more of their taste than the number does.
_WEIGHT_BY_ACTION = np.zeros(max(Action.values()) + 1, dtype=np.float32)
_WEIGHT_BY_ACTION[Action.ACTION_VIEW] = 1.0
_WEIGHT_BY_ACTION[Action.ACTION_CLICK] = 1.0
_WEIGHT_BY_ACTION[Action.ACTION_LIKE] = 1.5
_WEIGHT_BY_ACTION[Action.ACTION_PURCHASE] = 2.0
_WEIGHT_BY_ACTION[Action.ACTION_DISMISS] = -1.0
_WEIGHT_BY_ACTION[Action.ACTION_RATE] = 1.0

# In events, not days: whoever comes daily and whoever comes yearly forget by what came since.
RECENCY_HALF_LIFE_EVENTS = 30.0


def weights_of_actions(actions: npt.NDArray[np.integer]) -> Float32:
    """Return how much each action [n] speaks for its item, float32 [n]: negative is a dislike."""
    known = np.clip(actions, 0, len(_WEIGHT_BY_ACTION) - 1)
    return np.asarray(_WEIGHT_BY_ACTION[known], dtype=np.float32)


def recency(count: int) -> Float32:
    """Return the recency factors of events, oldest first, float32 [count]: the newest has 1."""
    back = np.arange(count - 1, -1, -1, dtype=np.float32)
    return np.asarray(np.exp2(-back / RECENCY_HALF_LIFE_EVENTS), dtype=np.float32)


def history_weights(history: Sequence[HistoryEvent]) -> Float32:
    """Return the events' weights, oldest first, float32 [n]: what was done times how recently."""
    actions = np.fromiter((e.action for e in history), dtype=np.int32, count=len(history))
    return weights_of_actions(actions) * recency(len(history))


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
