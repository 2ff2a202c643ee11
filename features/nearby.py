"""What is near: the score by which the nearby source ranks items."""

import numpy as np
import numpy.typing as npt

from features.places import EARTH_KM, distances_km

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
RADIUS_KM = 50.0
# How far people go is spread widely: the chance falls about with 1 / distance.
DECAY_KM = 1.0
_REACHED = float(np.cos(RADIUS_KM / EARTH_KM))


def near_rows(points: Float64, here: Float64) -> tuple[npt.NDArray[np.int64], Float64]:
    """Return rows of the points [n, 3] within RADIUS_KM of a place [3], and their distances in km.

    Points and place are unit vectors, NaN where unknown: nothing is near what is unknown.
    """
    rows = np.flatnonzero(points @ here >= _REACHED)
    return rows, distances_km(points[rows], here[None])[:, 0]


def near_scores(km: Float64, popularity: Float32) -> Float32:
    """Return scores [n] of items at some distances: what is popular may be farther away."""
    return np.asarray((1.0 + np.log1p(popularity)) / (1.0 + km / DECAY_KM), np.float32)
