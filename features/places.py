"""Points on the Earth, and how far they are from each other."""

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
EARTH_KM = 6371.0088
# Half of the Earth's circumference, and what counts as no distance at all.
FARTHEST_KM, NEAREST_KM = 20_015.0, 0.1
# About what people walk without thinking of it.
REACH_KM = 1.0
# The newest events say where somebody is at home; so many are enough.
FAMILIAR_AMONG = 50


def unit_vectors(latitudes: Float32, longitudes: Float32) -> npt.NDArray[np.float64]:
    """Return points in degrees [n] as unit vectors, float64 [n, 3]; NaN where unknown.

    Poles and the date line are points like all others then.
    """
    latitude = np.radians(latitudes.astype(np.float64))
    longitude = np.radians(longitudes.astype(np.float64))
    across = np.cos(latitude)
    return np.stack(
        [across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=-1
    )


def distances_km(
    points: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return great-circle distances [n, m] between unit vectors [n, 3] and [m, 3]."""
    return _km_of_chords(np.sqrt(np.maximum(2.0 - 2.0 * (points @ others.T), 0.0)))


def steps_km(latitudes: Float32, longitudes: Float32) -> npt.NDArray[np.float64]:
    """Return the distance of each point [n] to the one before it, NaN for the first."""
    if not np.isfinite(latitudes).any():
        return np.full(len(latitudes), np.nan)
    points = unit_vectors(latitudes, longitudes)
    return _km_of_chords(np.linalg.norm(np.diff(points, axis=0, prepend=np.nan), axis=-1))


def closeness(km: npt.NDArray[np.float64]) -> Float32:
    """Return distances on a logarithmic scale: 1 for none, 0 for the other side of the Earth.

    0 where unknown: somewhere far is what most of the Earth is.
    """
    far = np.log1p(np.where(np.isnan(km), FARTHEST_KM, km) / NEAREST_KM)
    share = 1.0 - far / np.log1p(FARTHEST_KM / NEAREST_KM)
    return np.asarray(np.clip(share, 0.0, 1.0), np.float32)


def within_reach(km: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return exp(-km / REACH_KM): 1 at the very place, 0 far away or where unknown."""
    return np.where(np.isnan(km), 0.0, np.exp(-np.nan_to_num(km) / REACH_KM))


def familiarity(
    latitudes: Float32, longitudes: Float32, latitude: float, longitude: float
) -> float:
    """Return the share of events [n] that were within reach of a place, of the newest ones."""
    if not np.isfinite(latitude):
        return 0.0
    newest = slice(-FAMILIAR_AMONG, None)
    here = unit_vectors(np.array([latitude], np.float32), np.array([longitude], np.float32))
    own = unit_vectors(latitudes[newest], longitudes[newest])
    return float(within_reach(distances_km(here, own)).mean()) if len(own) else 0.0


def familiarities(latitudes: Float32, longitudes: Float32) -> Float32:
    """Return the `familiarity` of each event's place [n] among the events up to it."""
    count = len(latitudes)
    if not np.isfinite(latitudes).any():
        return np.zeros(count, np.float32)
    points = unit_vectors(latitudes, longitudes)
    total = np.zeros(count)
    for back in range(min(FAMILIAR_AMONG, count)):
        chords = np.linalg.norm(points[back:] - points[: count - back], axis=-1)
        total[back:] += within_reach(_km_of_chords(chords))
    return np.asarray(total / np.minimum(np.arange(1, count + 1), FAMILIAR_AMONG), np.float32)


def _km_of_chords(chords: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return great-circle distances of straight lines through the Earth, in its radius."""
    return np.asarray(2.0 * EARTH_KM * np.arcsin(np.minimum(chords / 2.0, 1.0)), np.float64)
