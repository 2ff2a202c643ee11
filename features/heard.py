"""What a request's words come to in numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """vector: float32 [D], of the words, zeros if there are none. weight: how much they count, 0
    if there are none. asked: float32 [N], how surely each of the release's tags is asked for.
    """

    vector: Float32
    weight: float
    asked: Float32


def silence(width: int, tags: int) -> Heard:
    """Return what no words come to; width: of vectors. tags: how many a release has."""
    return Heard(np.zeros(width, np.float32), 0.0, np.zeros(tags, np.float32))
