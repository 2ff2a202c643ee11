"""What ratings say: how items are rated, how a user rates, and how they rated what is alike.

Everything is in standard deviations of the data set's ratings, and 0 where nothing was rated.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.events import EventArrays

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]

# As many ratings at the mean as every item and every user are given beside their own.
PRIOR = 5.0
NEWEST = 100
# What an unlike item weighs: with nothing alike, the answer is near 0.
DOUBT = 0.5


@dataclass(frozen=True)
class ItemRatings:
    """How items are rated.

    mean, scale: of all ratings. quality: float32 [items], the mean of an item's ratings above the
    data set's, shrunk towards 0 where they are few; counts: float32 [items], how many there are.
    """

    mean: float
    scale: float
    quality: Float32
    counts: Float32

    def of_events(self, events: EventArrays) -> Float32:
        """Return ratings above the data set's mean, float32 [events], NaN where there is none."""
        return np.asarray((events.ratings - self.mean) / self.scale, np.float32)


@dataclass(frozen=True)
class RatedPast:
    """What a user rated. mood: their mean above what the items get. residuals: float32 [n], each
    rating less quality and mood; factors: float32 [n, F] and vectors: float32 [n, D], unit rows.
    """

    mood: float
    residuals: Float32
    factors: Float32
    vectors: Float32

    def of_alike(self, own: Float32, candidates: Float32) -> Float32:
        """Return how the user rated what is like each candidate, float32 [n].

        own: `factors` or `vectors`; candidates: float32 [n, width], unit rows, in the same space.
        A mean of residuals, weighted by squared positive cosine.
        """
        alike = np.square(np.maximum(candidates @ own.T, 0.0))
        return np.asarray(alike @ self.residuals / (alike.sum(axis=1) + DOUBT), np.float32)


def rated_past(
    ratings: ItemRatings, item_factors: Float32, events: EventArrays, event_vectors: Float32
) -> RatedPast:
    """Return what a user rated among their newest events whose items the release holds."""
    known = np.flatnonzero(np.isfinite(events.ratings) & (events.rows >= 0))[-NEWEST:]
    rows = events.rows[known]
    above = ratings.of_events(events)[known] - ratings.quality[rows]
    mood = float(above.sum() / (len(above) + PRIOR))
    factors = item_factors[rows]
    norms = np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    return RatedPast(
        mood, np.asarray(above - mood, np.float32), factors / norms, event_vectors[known]
    )
