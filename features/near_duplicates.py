"""Which items are nearly the same, by the vectors of their texts."""

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
# docs/variety.md tells what it was chosen by.
NEAR_COSINE = 0.95


def near_duplicates(vectors: Float32, others: Float32) -> Bool:
    """Return which of n vectors are nearly the same as which of m others, bool [n, m].

    vectors: float32 [n, D], others: float32 [m, D], both L2-normalised. A vector of zeros, that of
    an item without text, is like none.
    """
    return are_near(vectors @ others.T)


def are_near(cosines: Float32) -> Bool:
    """Return which cosines are those of near duplicates, in the shape of `cosines`."""
    return cosines >= NEAR_COSINE
