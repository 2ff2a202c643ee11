"""Metrics of one target each, and their means with intervals."""

from typing import TypedDict

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
MISSED = 1_000_000_000
RESAMPLES = 1_000


class Metric(TypedDict):
    """A mean and the bounds of its 95 % bootstrap interval."""

    mean: float
    ci95: list[float]


def hit(places: Places, k: int) -> Values:
    """Return 1 where the target is among the first k (places count from 0), else 0."""
    return (places < k).astype(np.float64)


def ndcg(places: Places, k: int) -> Values:
    """Return 1 / log2(place + 2) where the target is among the first k, else 0."""
    return np.where(places < k, 1.0 / np.log2(places + 2.0), 0.0)


def reciprocal_rank(places: Places) -> Values:
    """Return 1 / (place + 1), and 0 for a target that was not listed at all."""
    return np.where(places < MISSED, 1.0 / (places + 1.0), 0.0)


def summarised(values: Values, seed: int = 0) -> Metric:
    """Return the mean of values [targets] with its bootstrap interval over targets."""
    if len(values) == 0:
        return {"mean": 0.0, "ci95": [0.0, 0.0]}
    random = np.random.default_rng(seed)
    draws = [
        float(values[random.integers(0, len(values), len(values))].mean()) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"mean": float(values.mean()), "ci95": [float(low), float(high)]}


def metrics_of(places: Places) -> dict[str, Metric]:
    """Return the metrics of a system from its targets' places, MISSED where not listed."""
    return {
        "hr@10": summarised(hit(places, 10)),
        "ndcg@10": summarised(ndcg(places, 10)),
        "mrr": summarised(reciprocal_rank(places)),
        "recall@200": summarised(hit(places, 200)),
    }
