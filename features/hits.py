"""Scores of candidate sources, made comparable between requests."""

import numpy as np
import numpy.typing as npt


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
