"""Counting what is popular where, and learning what place and hour count in it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.places import EARTH_KM, unit_vectors
from features.popularity import CELL_KM, NOTHING, Counting, Popularity
from training.cf import decayed
from training.clearly import clearly_better
from training.examples import ExampleMaker
from training.interactions import Interactions
from training.targets import Target

Float64 = npt.NDArray[np.float64]
REACHES_KM = (5.0, 25.0, 100.0)
HOURS = (0.5, 1.0)
# With fewer targets what helps would be chance.
TARGETS_LEAST = 50


def fit_popularity(interactions: Interactions) -> Popularity:
    """Count events by cell and item, and by region and item; none of it counts yet."""
    events = interactions.events
    weights = decayed(events.times_ms)
    centres, cells = _cells(unit_vectors(events.latitudes, events.longitudes))
    names = sorted({*interactions.regions} - {""})
    of_user = np.array([names.index(name) if name else -1 for name in interactions.regions], int)
    regions = of_user[interactions.user_rows()] if len(names) else np.full(len(events), -1)
    in_region = np.flatnonzero(regions >= 0)
    placed = np.flatnonzero(cells >= 0)
    where = np.concatenate([cells[placed], len(centres) + regions[in_region]])
    rows = np.concatenate([events.rows[placed], events.rows[in_region]])
    pair, at = np.unique(where * interactions.items + rows, return_inverse=True)
    counts = np.bincount(at, np.concatenate([weights[placed], weights[in_region]]), len(pair))
    firsts = np.arange(len(centres) + len(names) + 1) * interactions.items
    return Popularity(
        centres=centres,
        regions=names,
        starts=np.searchsorted(pair, firsts).astype(np.int64),
        rows=(pair % interactions.items).astype(np.int32),
        counts=counts.astype(np.float32),
    )


def _cells(points: Float64) -> tuple[Float64, npt.NDArray[np.int64]]:
    """Return the middles of the cells [C, 3] that points [n, 3] are in, and each point's cell.

    int64 [n], -1 where the point is unknown.
    """
    cells = np.full(len(points), -1, np.int64)
    placed = np.isfinite(points).all(axis=1)
    cubes = np.floor(points[placed] * (EARTH_KM / CELL_KM)).astype(np.int64)
    distinct, cell = np.unique(cubes, axis=0, return_inverse=True)
    cells[placed] = cell
    sums = [np.bincount(cell, points[placed, axis], len(distinct)) for axis in range(3)]
    centres = np.stack(sums, axis=1)
    return centres / np.linalg.norm(centres, axis=1, keepdims=True), cells


def learn_popularity(maker: ExampleMaker, targets: Sequence[Target]) -> Counting:
    """Return what is to count: what ranks the targets best, if clearly better than less does.

    All times are tried first, then regions, places and hours. The maker's tables must not know the
    targets.
    """
    best = NOTHING
    if len(targets) < TARGETS_LEAST:
        return best
    best = _clearly_best(maker, targets, best, [replace(best, ever=True)])
    best = _clearly_best(maker, targets, best, [replace(best, region=True)])
    best = _clearly_best(maker, targets, best, [replace(best, reach_km=km) for km in REACHES_KM])
    return _clearly_best(maker, targets, best, [replace(best, hour=hour) for hour in HOURS])


def counting_line(counting: Counting) -> str:
    """Return what counts as a line for people."""
    where = [f"within about {counting.reach_km:g} km"] * (counting.reach_km > 0)
    where += ["by region"] * counting.region
    when = f"the hour by {counting.hour:g}" if counting.hour else "all hours alike"
    since = "of all time" if counting.ever else "of late"
    return f"what is popular {since} counts {' or '.join(where) or 'everywhere alike'}, {when}"


def _clearly_best(
    maker: ExampleMaker, targets: Sequence[Target], before: Counting, others: Sequence[Counting]
) -> Counting:
    worth = _worth(maker, targets, before)
    best, most = before, 0.0
    for other in others:
        gain = _worth(maker, targets, other) - worth
        if clearly_better(gain, than=most):
            best, most = other, float(gain.mean())
    return best


def _worth(maker: ExampleMaker, targets: Sequence[Target], counting: Counting) -> Float64:
    """Return how high each target ranks among what its user may be shown, float64 [n].

    On a logarithmic scale: from 1 for the first to 0 for the last, or for one without any count.
    """
    items, rhythms = maker.tables.items, maker.tables.rhythms
    popularity = maker.tables.popularity.with_counting(counting)
    worth = np.zeros(len(targets))
    for place, target in enumerate(targets):
        found = popularity.at(maker.moment(target), items, rhythms)
        scores = items.recent_popularity if found is None else found
        row = maker.interactions.of(target.user).rows[target.place]
        # Of what is as popular as the target, half comes before it.
        before = (scores > scores[row]) + 0.5 * (scores == scores[row])
        if not maker.repeat:
            before[maker.history(target).rows] = 0.0
        if scores[row] > 0:
            before[row] = 0.0
            rank = 1.0 + float(before.sum())
            worth[place] = 1.0 - np.log(rank) / np.log(len(items) + 1.0)
    return worth
