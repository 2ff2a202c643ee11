"""The space of the user tower: items' vectors, and how an item stands with a user."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.context import context_features
from features.events import EventArrays, event_features
from features.moment import Moment

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class TowerSpace:
    """Where users and items meet: the inner product of their vectors ranks items.

    item_vectors: float32 [items, W], their mean taken off, so that what is better than the mean has
    a positive product. mean: float32 [W]. projection: float32 [D + M, W], from contents: an item
    that the release does not hold has the projection of its text and media, less the mean.
    """

    item_vectors: Float32
    mean: Float32
    projection: Float32

    @property
    def width(self) -> int:
        """The width W of the space."""
        return int(self.item_vectors.shape[1])

    @cached_property
    def covariance_WW(self) -> Float32:
        """The covariance of the items' vectors, float32 [W, W]."""
        vectors = self.item_vectors
        return np.asarray(vectors.T @ vectors / max(len(vectors), 1), np.float32)

    def vectors(self, rows: Rows, contents: Float32) -> Float32:
        """Return items' vectors [n, W]; rows [n], -1 where the contents [n, D + M] have to do."""
        known = rows >= 0
        vectors = np.empty((len(rows), self.width), np.float32)
        vectors[known] = self.item_vectors[rows[known]]
        vectors[~known] = contents[~known] @ self.projection - self.mean
        return vectors

    def standing(self, user_W: Float32, rows: Rows, contents: Float32) -> Float32:
        """Return how far above the catalogue's mean items are for a user, float32 [n].

        In standard deviations over the catalogue; zeros for a user of zeros.
        """
        spread = float(np.sqrt(max(float(user_W @ self.covariance_WW @ user_W), 0.0)))
        if spread < 1e-9:
            return np.zeros(len(rows), np.float32)
        return np.asarray(self.vectors(rows, contents) @ user_W / spread, np.float32)


@dataclass(frozen=True)
class TowerInput:
    """What the user tower reads of one user at one moment: the newest events, oldest first.

    rows: int64 [L], -1 for items that the release does not hold. actions: int64 [L]. features:
    float32 [L, E]. times_ms, next_ms: int64 [L], when an event was and when the one after it (for
    the newest: the request). context: float32 [X].
    """

    rows: npt.NDArray[np.int64]
    actions: npt.NDArray[np.int64]
    features: Float32
    times_ms: npt.NDArray[np.int64]
    next_ms: npt.NDArray[np.int64]
    context: Float32


def tower_input(
    events: EventArrays,
    moment: Moment,
    *,
    rating_mean: float,
    rating_scale: float,
    max_history: int,
) -> TowerInput:
    """Return the input for a user's events (one or more) before a request."""
    recent = slice(-max_history, None)
    following = np.append(events.times_ms[1:], moment.time_ms)
    return TowerInput(
        rows=events.rows[recent].astype(np.int64),
        actions=events.actions[recent].astype(np.int64),
        features=event_features(events, rating_mean, rating_scale)[recent],
        times_ms=events.times_ms[recent],
        next_ms=following[recent],
        context=context_features(events, moment, words_weight=0.0),
    )
