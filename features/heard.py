"""What a request's words come to in numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.tastes import Tastes

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """vector: float32 [D], of the words, zeros if there are none. weight: how much they count, 0
    if there are none. tag_scores: float32 [items], how much each item has of the tags asked for.
    tastes: float32 [items], how popular each is among people who would say the same.
    """

    vector: Float32
    weight: float
    tag_scores: Float32
    tastes: Float32


def silence(width: int, tastes: Tastes) -> Heard:
    """Return what no words come to."""
    popular = tastes.popularity(np.zeros(len(tastes.said_by), np.float32))
    return Heard(np.zeros(width, np.float32), 0.0, np.zeros(len(popular), np.float32), popular)
