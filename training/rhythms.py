"""Counting when items are wanted."""

import numpy as np
import numpy.typing as npt

from features.clock import NO_CLOCK
from features.rhythms import BINS, Rhythms, bins_of, lift
from training.interactions import Interactions

Float64 = npt.NDArray[np.float64]
# The hours before and after count with what an hour is wanted.
NEAR_HOURS = (0.5, 0.25)
# An item's own hours count as much as what its text tells once it has so many events.
PRIOR_EVENTS = 10.0
# Of the linear model of hours from texts, in events.
RIDGE = 50.0


def fit_rhythms(interactions: Interactions, text_vectors: npt.NDArray[np.float32]) -> Rhythms:
    """Return items' lifts by hour: their own counts, drawn towards what their texts tell.

    text_vectors: float32 [items, D]. What texts tell is a linear model of the shares of hours,
    weighted by how often an item was used. Events without a clock tell nothing.
    """
    counts = _counts(interactions)
    total = counts.sum(axis=1)
    base = counts.sum(axis=0) / max(float(total.sum()), 1.0)
    shares = counts / np.maximum(total, 1.0)[:, None] - base
    used = np.flatnonzero(total > 0)
    texts = np.asarray(text_vectors[used], np.float64)
    weighted = texts * total[used, None]
    gram = texts.T @ weighted + RIDGE * np.eye(texts.shape[1])
    projection = np.linalg.solve(gram, weighted.T @ shares[used])
    lifts = np.zeros((interactions.items, BINS), np.float16)
    at_once = 50_000
    for start in range(0, interactions.items, at_once):
        some = slice(start, start + at_once)
        told = np.maximum(base + text_vectors[some] @ projection, 0.0)
        told /= np.maximum(told.sum(axis=1, keepdims=True), 1e-9)
        own = (counts[some] + PRIOR_EVENTS * told) / (total[some, None] + PRIOR_EVENTS)
        lifts[some] = lift(own.astype(np.float32), base)
    return Rhythms(lifts, projection.astype(np.float32), base.astype(np.float32))


def _counts(interactions: Interactions) -> Float64:
    """Return how often each item is wanted by hour, smoothed, float64 [items, BINS]."""
    events = interactions.events
    told = events.offsets_min != NO_CLOCK
    bins = bins_of(events.times_ms[told], events.offsets_min[told])
    places = events.rows[told].astype(np.int64) * BINS + bins
    counts = np.bincount(places, minlength=interactions.items * BINS)
    by_day = counts.reshape(interactions.items, 2, 24).astype(np.float64)
    same, near = NEAR_HOURS
    smooth = same * by_day + near * (np.roll(by_day, 1, axis=2) + np.roll(by_day, -1, axis=2))
    return smooth.reshape(interactions.items, BINS)
