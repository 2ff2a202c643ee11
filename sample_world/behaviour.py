"""What the people of a world do: events drawn from the planted preferences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_world.cities import KM_PER_DEGREE
from sample_world.preference import DAY_MS, QUALITY_WEIGHT, Preference
from sample_world.reviews import write_review
from sample_world.rhythms import HOUR_MS
from sample_world.vocabulary import Category, Domain

MEAN_EVENTS = 36.0
SPREAD = 0.65
FEWEST_EVENTS = 5
CASUAL_SHARE = 0.08
"""Share of people who did only one to four things."""
MISFIT_SHARE = 0.05
"""Share of events with something that was merely put before the user."""
SAME_CATEGORY = 4.0
"""How much likelier an event stays in the category of the event before it in one sitting."""
RETURN = 15.0
"""How much likelier something already used is than something equal but new, where repeats are."""
PLACE_KNOWN_SHARE = 0.75
JITTER_KM = 0.15

# How busy people are with all this, by local hour.
WORKDAY = np.array([2, 1, 1, 1, 1, 2, 4, 7, 8, 4, 3, 4, 7, 6, 3, 3, 4, 5, 7, 8, 9, 9, 7, 4], float)
WEEKEND = np.array([4, 3, 2, 1, 1, 1, 2, 4, 6, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 7, 8, 9, 9, 7], float)


@dataclass(frozen=True)
class EventRow:
    """An interaction. Fields are columns of interactions.csv."""

    user_id: str
    item_id: str
    timestamp: int
    action: str
    rating: float | None
    dwell_ms: int
    lat: float | None
    lon: float | None
    utc_offset_minutes: int
    text: str


def act(
    rng: np.random.Generator,
    domains: Sequence[Domain],
    preference: Preference,
    user: int,
    start_ms: int,
    end_ms: int,
    *,
    repeat: bool,
) -> list[EventRow]:
    """Return all that one user does from start to end, in order of time."""
    times, sittings = _times(rng, preference, user, _count(rng), start_ms, end_ms)
    places = _places(rng, preference, user, times)
    items = preference.items
    probabilities = np.exp(preference.log_probabilities(user, times, places))
    pushed = np.exp(QUALITY_WEIGHT * items.quality)
    fit = _standardised(preference.fit(user), items.category)
    pairs = [(domain, kind) for domain in domains for kind in domain.categories]
    seen = np.zeros(len(items.item_ids), dtype=np.bool_)
    rows = []
    before = -1
    for event, time_ms in enumerate(times.tolist()):
        misfit = rng.random() < MISFIT_SHARE
        weights = probabilities[event]
        if misfit:
            weights = pushed * ((items.created_ms <= time_ms) & (time_ms < items.gone_ms))
        elif event and sittings[event] == sittings[event - 1]:
            weights = np.where(items.category == before, SAME_CATEGORY * weights, weights)
        weights = np.where(seen, weights * (RETURN if repeat and not misfit else 0.0), weights)
        total = weights.cumsum()
        if total[-1] <= 0.0:
            continue
        item = int(total.searchsorted(rng.random() * total[-1], side="right"))
        seen[item] = True
        before = int(items.category[item])
        domain, kind = pairs[before]
        rows.append(
            _event(
                rng,
                preference,
                user,
                item,
                domain,
                kind,
                time_ms,
                places[event],
                float(fit[item]),
                misfit=misfit,
            )
        )
    return rows


def _count(rng: np.random.Generator) -> int:
    if rng.random() < CASUAL_SHARE:
        return int(rng.integers(1, 5))
    draw = MEAN_EVENTS * np.exp(SPREAD * rng.normal() - SPREAD**2 / 2)
    return max(FEWEST_EVENTS, round(float(draw)))


def _times(
    rng: np.random.Generator,
    preference: Preference,
    user: int,
    count: int,
    start_ms: int,
    end_ms: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return event times, ascending, and the number of the sitting that each belongs to."""
    users = preference.users
    offset_ms = int(users.utc_offset_minutes[user]) * 60_000
    days = (end_ms - start_ms) // DAY_MS
    # The first and the last day are spared, so that local days lie within the world's.
    joined = int(rng.integers(1, days * 6 // 10)) if rng.random() < 0.3 else 1
    sizes = rng.geometric(0.5, size=count)
    sittings = np.repeat(np.arange(count), sizes)[:count]
    day = rng.integers(joined, days - 1, size=count)
    # The world starts on a Monday, in universal time.
    weekend = day % 7 >= 5
    hours = np.empty(count, dtype=np.int64)
    for mask, profile in ((~weekend, WORKDAY), (weekend, WEEKEND)):
        own = np.roll(profile, int(users.shift_hours[user]))
        hours[mask] = rng.choice(24, size=int(mask.sum()), p=own / own.sum())
    starts = start_ms + day * DAY_MS + hours * HOUR_MS - offset_ms
    starts += rng.integers(0, HOUR_MS // 2, size=count)
    gaps = rng.exponential(5 * 60_000, size=count)
    first = np.diff(sittings, prepend=-1) != 0
    waited = np.cumsum(gaps)
    waited -= np.maximum.accumulate(np.where(first, waited, 0.0))
    times = starts[sittings] + waited.astype(np.int64)
    times = np.clip(times // 1000 * 1000, start_ms, end_ms - 1000)
    order = np.argsort(times, kind="stable")
    return times[order], sittings[order]


def _places(
    rng: np.random.Generator,
    preference: Preference,
    user: int,
    times: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return where the user is at each time, [times, 2]: at home, at work or out."""
    users = preference.users
    hours = (times // HOUR_MS + int(users.utc_offset_minutes[user]) // 60 + 72) % 168
    hour, day = hours % 24, hours // 24
    working = (day < 5) & (hour >= 9) & (hour < 17)
    night = (hour >= 19) | (hour < 4)
    out_share = np.where(night, np.where(day >= 4, 0.65, 0.2), np.where(day >= 5, 0.2, 0.05))
    draw = rng.random(len(times))
    places = np.repeat(users.home[user][None], len(times), axis=0)
    places[working & (draw < 0.75)] = users.work[user]
    places[~working & (draw < out_share)] = users.out[user]
    return np.round(places + rng.normal(0.0, JITTER_KM / KM_PER_DEGREE, places.shape), 4)


def _standardised(
    fit: npt.NDArray[np.float64], category: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return fits less the mean of their category, over the deviation of all."""
    counts = np.bincount(category)
    means = np.bincount(category, weights=fit) / np.maximum(counts, 1)
    centred = fit - means[category]
    result: npt.NDArray[np.float64] = centred / max(float(centred.std()), 1e-9)
    return result


def _event(
    rng: np.random.Generator,
    preference: Preference,
    user: int,
    item: int,
    domain: Domain,
    kind: Category,
    time_ms: int,
    place: npt.NDArray[np.float64],
    fit: float,
    *,
    misfit: bool,
) -> EventRow:
    users = preference.users
    action, rating = _reaction(rng, domain, fit, misfit=misfit)
    minutes = domain.dwell_minutes * np.exp(0.3 * fit + 0.6 * rng.normal())
    if action == "dismiss":
        minutes = rng.uniform(0.02, 0.1)
    if kind.minutes is not None:
        minutes = min(minutes, 1.2 * kind.minutes[1])
    known = rng.random() < PLACE_KNOWN_SHARE
    return EventRow(
        user_id=users.user_ids[user],
        item_id=preference.items.item_ids[item],
        timestamp=time_ms,
        action=action,
        rating=rating,
        dwell_ms=int(minutes * 60_000),
        lat=float(place[0]) if known else None,
        lon=float(place[1]) if known else None,
        utc_offset_minutes=int(users.utc_offset_minutes[user]),
        text=write_review(rng, preference, user, item, kind, action, rating),
    )


def _reaction(
    rng: np.random.Generator, domain: Domain, fit: float, *, misfit: bool
) -> tuple[str, float | None]:
    """Return the action, and the rating from 0.5 to 5 if one was given."""
    if misfit and rng.random() < 0.6:
        return "dismiss", None
    actions = list(domain.actions)
    weights = np.array(list(domain.actions.values()))
    # What fits better is liked and bought more.
    keen = np.array([action in ("like", "purchase") for action in actions])
    weights = weights * np.where(keen, np.exp(0.6 * np.clip(fit - 1.0, -3, 2)), 1.0)
    action = actions[int(rng.choice(len(actions), p=weights / weights.sum()))]
    if rng.random() >= domain.rated:
        return action, None
    rating = float(np.clip(np.round(2 * (3.2 + 0.6 * fit + 0.6 * rng.normal())) / 2, 0.5, 5.0))
    return (action if action == "purchase" else "rate"), rating
