"""The k-core of the interactions: users and items with at least k of them among each other."""

import numpy as np
import numpy.typing as npt

from training.datasets.cells import Mask


def k_core(
    user_codes: npt.NDArray[np.int32], item_codes: npt.NDArray[np.int32], counted: Mask, k: int
) -> Mask:
    """Return the mask of interactions whose user and item belong to the k-core.

    counted: interactions that count towards k. The k-core is the largest set of users and items
    in which each has k counted interactions with the others; it is unique, and may be empty
    (S. B. Seidman, Network structure and minimum degree, Social Networks 5(3), 1983).
    """
    kept = np.ones(len(user_codes), dtype=np.bool_)
    while True:
        before = int(kept.sum())
        for codes in (user_codes, item_codes):
            counts = np.bincount(codes[kept & counted], minlength=int(codes.max(initial=-1)) + 1)
            kept &= (counts >= k)[codes]
        if int(kept.sum()) == before:
            return kept
