"""Metrics of the lists themselves, whatever the targets: coverage, novelty, diversity, exposure."""

import numpy as np
import numpy.typing as npt

Ranked = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]
K = 10


def novelty(ranked: Ranked, popularity: npt.NDArray[np.int64], k: int = K) -> Values:
    """Return the mean self-information of the first k items in bits, float64 [R].

    An item's probability is its share of the known events, with one event added to every item.
    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", 2010.
    """
    bits = -np.log2((popularity + 1) / (popularity + 1).sum())
    return _mean_of_items(np.concatenate([bits, [0.0]]), ranked[:, :k])


def diversity(ranked: Ranked, vectors: npt.NDArray[np.float32], k: int = K) -> Values:
    """Return the mean of 1 - cosine over all pairs of the first k items, float64 [R].

    vectors: float32 [items, D]; of length 1, or 0 for items without text, which are like none.
    Lists of fewer than two items have a diversity of 0.
    """
    shown = ranked[:, :k]
    padded = np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float32)])
    result = np.zeros(len(shown))
    for start in range(0, len(shown), 1_000):
        part = shown[start : start + 1_000]
        of_items = padded[np.maximum(part, -1)]
        counts = (part >= 0).sum(axis=1)
        own = (of_items**2).sum(axis=(1, 2))
        alike = (of_items.sum(axis=1) ** 2).sum(axis=1) - own
        pairs = counts * (counts - 1)
        result[start : start + 1_000] = np.where(pairs > 0, 1 - alike / np.maximum(pairs, 1), 0.0)
    return result


def coverage(ranked: Ranked, items: int, k: int = K) -> float:
    """Return the share of the catalogue that is among the first k of any list."""
    return len(np.unique(_shown(ranked, k))) / max(items, 1)


def exposure_gini(ranked: Ranked, items: int, k: int = K) -> float:
    """Return the Gini coefficient of how often each item of the catalogue is shown.

    0: all alike; 1: one item has all the places.
    """
    counts = np.sort(np.bincount(_shown(ranked, k), minlength=items)).astype(np.float64)
    total = counts.sum()
    if total == 0:
        return 0.0
    places = np.arange(1, items + 1)
    return float(2 * (places * counts).sum() / (items * total) - (items + 1) / items)


def seen_share(
    ranked: Ranked, bounds: npt.NDArray[np.int64], history: npt.NDArray[np.int64], items: int
) -> float:
    """Return the share of the first K places that hold an item of the request's history."""
    requests = np.repeat(np.arange(len(ranked)), np.diff(bounds))
    shown = np.arange(len(ranked))[:, None] * items + ranked[:, :K]
    filled = ranked[:, :K] >= 0
    seen = np.isin(shown[filled], requests * items + history)
    return float(seen.mean()) if seen.size else 0.0


def _shown(ranked: Ranked, k: int) -> Ranked:
    shown = ranked[:, :k].ravel()
    return shown[shown >= 0]


def _mean_of_items(of_item: Values, shown: Ranked) -> Values:
    counts = (shown >= 0).sum(axis=1)
    return np.asarray(of_item[np.maximum(shown, -1)].sum(axis=1) / np.maximum(counts, 1))
