"""Scores and ranks of candidate sources, made comparable between requests."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual
# Rank Learning Methods", SIGIR 2009, recommends 60.
RRF_OFFSET = 60.0


def standardise(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return scores [n] of one source's whole result with mean 0 and standard deviation 1.

    Where all scores are equal, zeros.
    """
    if scores.size == 0:
        return scores.astype(np.float32)
    deviation = float(scores.std())
    if deviation < 1e-9:
        return np.zeros_like(scores, dtype=np.float32)
    return np.asarray((scores - scores.mean()) / deviation, dtype=np.float32)


def reciprocal_rank_fusion(ranked: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return each item's sum of 1 / (60 + rank) over ranked lists, ranks counting from 1."""
    fused: dict[str, float] = {}
    for items in ranked:
        for rank, item_id in enumerate(items, start=1):
            fused[item_id] = fused.get(item_id, 0.0) + 1.0 / (RRF_OFFSET + rank)
    return fused
