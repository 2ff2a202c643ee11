"""Which candidates make the slate, and in which order."""

import numpy as np
import numpy.typing as npt


def select(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.intp]:
    """Return the places of up to `count` candidates, greatest value first.

    Ties keep the order of retrieval. A value that is not finite says nothing and sinks to the end.
    """
    sunk = np.where(np.isfinite(values), values, -np.inf)
    return np.argsort(-sunk, kind="stable")[:count]
