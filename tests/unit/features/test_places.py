"""Distances on the Earth, and how familiar a place is."""

import numpy as np
import pytest

from features.nearby import RADIUS_KM, near_rows, near_scores
from features.places import (
    closeness,
    distances_km,
    familiarities,
    familiarity,
    steps_km,
    unit_vectors,
)

NAN = float("nan")


def km(one: tuple[float, float], other: tuple[float, float]) -> float:
    a, b = (unit_vectors(np.array([p[0]]), np.array([p[1]])) for p in (one, other))
    return float(distances_km(a, b)[0, 0])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((48.8566, 2.3522), (51.5074, -0.1278), 343.6),  # Paris, London
        ((0.0, 179.9995), (0.0, -179.9995), 0.1112),  # across the date line
        ((90.0, 0.0), (90.0, 123.0), 0.0),  # a pole is one point
        ((89.9995, 0.0), (89.9995, 180.0), 0.1112),  # across a pole
        ((10.0, 20.0), (-10.0, -160.0), 20_015.1),  # to the other side
        ((40.0, -74.0), (40.0, -74.0), 0.0),
    ],
)
def test_distances(one: tuple[float, float], other: tuple[float, float], expected: float) -> None:
    assert km(one, other) == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_a_metre_is_not_lost() -> None:
    assert km((52.52, 13.405), (52.52 + 1 / 111_195, 13.405)) == pytest.approx(1e-3, rel=0.05)


def test_what_is_unknown_is_close_to_nothing() -> None:
    assert np.isnan(km((NAN, NAN), (1.0, 1.0)))
    distances = np.array([0.0, 1.0, 20_015.0, NAN])
    close = closeness(distances)
    assert close[0] == 1.0
    assert 0.5 < close[1] < 1.0
    assert close[2] == pytest.approx(0.0, abs=1e-5)
    assert close[3] == 0.0


def test_steps_are_between_neighbours_and_unknown_at_the_start() -> None:
    steps = steps_km(np.array([0.0, 0.0, NAN, 0.0]), np.array([179.5, -179.5, NAN, 0.0]))
    assert np.isnan(steps[[0, 2, 3]]).all()
    assert steps[1] == pytest.approx(111.2, rel=1e-3)


def test_familiarity_of_a_sequence_is_that_of_each_moment() -> None:
    random = np.random.default_rng(0)
    latitudes = (52.5 + random.integers(0, 4, 120) / 50).astype(np.float32)
    longitudes = np.full(120, 13.4, np.float32)
    latitudes[[3, 70]] = longitudes[[3, 70]] = np.nan
    together = familiarities(latitudes, longitudes)
    for at in (0, 3, 4, 49, 50, 71, 119):
        past = slice(0, at + 1)
        alone = familiarity(
            latitudes[past], longitudes[past], float(latitudes[at]), float(longitudes[at])
        )
        assert together[at] == pytest.approx(alone, abs=1e-6)
    assert not familiarities(np.full(5, np.nan), np.full(5, np.nan)).any()
    assert familiarity(latitudes[:0], longitudes[:0], 1.0, 1.0) == 0.0


def test_near_rows_are_those_within_the_radius_wherever_that_is() -> None:
    latitudes = np.array([0.0, 0.0, 0.4, 0.5, np.nan, 60.0], np.float32)
    longitudes = np.array([179.9, -179.9, 180.0, 180.0, np.nan, 180.0], np.float32)
    here = unit_vectors(np.array([0.0]), np.array([-180.0]))[0]
    rows, distances = near_rows(unit_vectors(latitudes, longitudes), here)
    assert rows.tolist() == [0, 1, 2]
    assert (distances < RADIUS_KM).all()
    nowhere = unit_vectors(np.array([NAN]), np.array([NAN]))[0]
    assert not len(near_rows(unit_vectors(latitudes, longitudes), nowhere)[0])


def test_the_popular_may_be_farther_away() -> None:
    scores = near_scores(np.array([0.0, 2.0, 2.0]), np.array([0.0, 1_000.0, 0.0], np.float32))
    assert scores[1] > scores[0] > scores[2]
