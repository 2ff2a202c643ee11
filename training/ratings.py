"""How items are rated, counted over some interactions."""

import numpy as np

from features.ratings import PRIOR, ItemRatings
from training.interactions import Interactions


def fit_ratings(interactions: Interactions) -> ItemRatings:
    """Return mean and deviation of all ratings, and what each item gets above the mean."""
    events = interactions.events
    rated = np.isfinite(events.ratings)
    ratings, rows = events.ratings[rated], events.rows[rated]
    if not len(ratings):
        nothing = np.zeros(interactions.items, np.float32)
        return ItemRatings(0.0, 1.0, nothing, nothing)
    mean, scale = float(ratings.mean()), max(float(ratings.std()), 1e-3)
    above = np.bincount(rows, weights=(ratings - mean) / scale, minlength=interactions.items)
    counts = np.bincount(rows, minlength=interactions.items)
    quality = (above / (counts + PRIOR)).astype(np.float32)
    return ItemRatings(mean, scale, quality, counts.astype(np.float32))


def quality_without(ratings: ItemRatings, row: int, rating: float) -> float:
    """Return an item's quality as if one of the ratings that it was counted from were not."""
    count = float(ratings.counts[row])
    total = float(ratings.quality[row]) * (count + PRIOR) - (rating - ratings.mean) / ratings.scale
    return total / (count - 1.0 + PRIOR)
