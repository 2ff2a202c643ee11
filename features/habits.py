"""What somebody does at this hour, and what they come back to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.clock import NO_CLOCK, hour_of_week
from features.events import EventArrays
from features.history import mean_vector
from features.moment import Moment
from features.places import unit_vectors

Float32 = npt.NDArray[np.float32]
# Habits keep to about two hours: this is 1 / variance of an hour of the day as an angle.
CONCENTRATION = (24 / (2 * np.pi) / 2.0) ** 2
# What an event of another weekday, and of a weekday for a weekend or the reverse, still tells.
OTHER_DAY, OTHER_KIND = 0.6, 0.25
# What the habit source counts an event at another hour.
ANY_HOUR = 0.1
HAUNTS_MOST = 100


@dataclass(frozen=True)
class Habits:
    """A user's habits as they bear on one moment.

    weights: float32 [events], what was done times how recently, dislikes 0. alike: float32
    [events], of `likeness_of_hours`. followers: int32, rows that came after the newest item before,
    with repeats. text: float32 [D] and factor: float32 [F], what was used at such hours, as means
    of text vectors and of CF factors, unit vectors or zeros. haunts: float64 [n, 3], the places of
    the newest events that have one, as unit vectors; haunt_weights, haunts_alike: float32 [n].
    """

    weights: Float32
    alike: Float32
    followers: npt.NDArray[np.int32]
    text: Float32
    factor: Float32
    haunts: npt.NDArray[np.float64]
    haunt_weights: Float32
    haunts_alike: Float32


def habits_at(
    moment: Moment,
    events: EventArrays,
    weights: Float32,
    event_vectors: Float32,
    item_factors: Float32,
) -> Habits:
    """Digest a user's events; weights: float32 [events]; event_vectors: float32 [events, D]."""
    weights = np.maximum(weights, 0.0)
    alike = likeness_of_hours(events, moment)
    factors = item_factors[np.maximum(events.rows, 0)] * (events.rows >= 0)[:, None]
    placed = np.flatnonzero(np.isfinite(events.latitudes))[-HAUNTS_MOST:]
    return Habits(
        weights=weights,
        alike=alike,
        followers=followers(events.rows),
        text=mean_vector(event_vectors, weights * alike),
        factor=mean_vector(factors, weights * alike),
        haunts=unit_vectors(events.latitudes[placed], events.longitudes[placed]),
        haunt_weights=weights[placed],
        haunts_alike=alike[placed],
    )


def likeness_of_hours(events: EventArrays, moment: Moment) -> Float32:
    """Return how alike the time of week of each event is to that of a moment, float32 [events].

    From 1 at the same hour of the same weekday to about 0; 1 for all where hours are not known.
    """
    if moment.offset_min == NO_CLOCK or not len(events):
        return np.ones(len(events), np.float32)
    times = np.append(events.times_ms, moment.time_ms)
    offsets = np.append(events.offsets_min, moment.offset_min).astype(np.int32)
    hours = hour_of_week(times, offsets)
    past, now = hours[:-1], hours[-1]
    angle = (past - now) * 2 * np.pi / 24
    same_hour = np.exp(CONCENTRATION * (np.cos(angle) - 1.0))
    day, today = past // 24, now // 24
    same_kind = (day >= 5) == (today >= 5)
    same_day = np.where(day == today, 1.0, np.where(same_kind, OTHER_DAY, OTHER_KIND))
    return np.asarray(same_hour * same_day, np.float32)


def returns(items: npt.NDArray[np.integer], weights: Float32, alike: Float32) -> Float32:
    """Return how much each event's item is one to return to, float32 [events].

    items: equal numbers are the same item. weights: what was done times how recently. alike: of
    `likeness_of_hours`. All events of an item have one score, the sum over them.
    """
    _, place = np.unique(items, return_inverse=True)
    sums = np.bincount(place, weights=np.maximum(weights, 0.0) * (ANY_HOUR + alike))
    return np.asarray(sums[place] if len(items) else sums, np.float32)


def followers(rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the rows that came right after earlier visits to the newest item, with repeats."""
    if not len(rows) or rows[-1] < 0:
        return rows[:0]
    return np.asarray(rows[1:][rows[:-1] == rows[-1]], np.int32)
