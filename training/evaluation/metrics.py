"""Metrics of one target each: a request's list is judged by the place of its one target."""

import numpy as np
import numpy.typing as npt

from training.evaluation.intervals import Metric

Places = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
MISSED = 1_000_000_000
RESAMPLES = 1_000
CUTS = (5, 10, 20, 50)
RECALL_CUTS = (50, 200, 500)


def places_in(ranked: npt.NDArray[np.int32], targets: npt.NDArray[np.int64]) -> Places:
    """Return where each target [R] is in its list [R, K], from 0, MISSED where it is not."""
    if not ranked.shape[1]:
        return np.full(len(ranked), MISSED)
    found = ranked == targets[:, None]
    return np.where(found.any(axis=1), found.argmax(axis=1), MISSED)


def hit(places: Places, k: int) -> Values:
    """Return 1 where the target is among the first k (places count from 0), else 0."""
    return (places < k).astype(np.float64)


def precision(places: Places, k: int) -> Values:
    """Return the share of the first k that are targets; there is one target."""
    return hit(places, k) / k


def ndcg(places: Places, k: int) -> Values:
    """Return 1 / log2(place + 2) where the target is among the first k, else 0."""
    return np.where(places < k, 1.0 / np.log2(places + 2.0), 0.0)


def reciprocal_rank(places: Places, k: int = MISSED) -> Values:
    """Return 1 / (place + 1) where the target is among the first k, else 0."""
    return np.where(places < k, 1.0 / (places + 1.0), 0.0)


def of_places(places: Places) -> dict[str, Values]:
    """Return all metrics of the targets' places, each float64 [R].

    With one target for each request recall and hit rate are the same number; both have their key.
    """
    values = {}
    for k in CUTS:
        values[f"precision@{k}"] = precision(places, k)
        values[f"recall@{k}"] = values[f"hr@{k}"] = hit(places, k)
        values[f"ndcg@{k}"] = ndcg(places, k)
        values[f"mrr@{k}"] = reciprocal_rank(places, k)
    values["mrr"] = reciprocal_rank(places)
    for k in RECALL_CUTS:
        values[f"recall@{k}"] = hit(places, k)
    return values


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
