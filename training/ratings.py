"""How items are rated, counted over some interactions."""

import numpy as np
import numpy.typing as npt

from features.ratings import PRIOR, ItemRatings
from training.interactions import Interactions

LEAST_SCALE = 1e-3


def mean_and_scale(ratings: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return mean and standard deviation of ratings [n] that are known; NaN is none.

    The deviation is never 0; without any rating it is 1, and the mean 0.
    """
    known = ratings[np.isfinite(ratings)]
    if not len(known):
        return 0.0, 1.0
    return float(known.mean()), max(float(known.std()), LEAST_SCALE)


def fit_ratings(interactions: Interactions) -> ItemRatings:
    """Return mean and deviation of all ratings, and what each item gets above the mean."""
    events = interactions.events
    rated = np.isfinite(events.ratings)
    ratings, rows = events.ratings[rated], events.rows[rated]
    mean, scale = mean_and_scale(ratings)
    above = np.bincount(rows, weights=(ratings - mean) / scale, minlength=interactions.items)
    counts = np.bincount(rows, minlength=interactions.items)
    quality = (above / (counts + PRIOR)).astype(np.float32)
    return ItemRatings(mean, scale, quality, counts.astype(np.float32))


def quality_without(ratings: ItemRatings, row: int, rating: float) -> float:
    """Return an item's quality as if one of the ratings that it was counted from were not."""
    count = float(ratings.counts[row])
    total = float(ratings.quality[row]) * (count + PRIOR) - (rating - ratings.mean) / ratings.scale
    return total / (count - 1.0 + PRIOR)
