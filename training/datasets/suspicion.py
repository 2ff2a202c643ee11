"""Users who act like bots, and times at which nothing can have happened.

Impressions are left out: a page shows many items at once. Where times are mere dates, so that
everything of a day is at one instant, only the limit by day is looked at.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.datasets.cells import Mask
from training.datasets.format import ACTIONS, UNKNOWN_TIME_MS
from training.datasets.interactions import Events
from training.datasets.report import CleaningReport

DAY_S = 24 * 3600
DAY_MS = 1_000 * DAY_S
# More events than this within so many seconds are not a person's.
BOT_LIMITS = ((60, 100), (3600, 1_000), (DAY_S, 5_000))
MIN_EVENTS_AT_ONE_INSTANT = 5
# Dates in any time zone begin on a half-hour; two of them where clocks change in summer.
DATE_STEP_MS = 1_800_000
MAX_DATE_OFFSETS = 2
# Logs may hold local times or dates without a zone.
TOLERANCE_MS = DAY_MS
# Data that reach no further than this count their events rather than time them.
LEAST_REAL_TIME_MS = 315_532_800_000  # the beginning of the year 1980


@dataclass(frozen=True)
class Suspicion:
    """Masks over the events."""

    bots: Mask
    times: Mask


def suspect(
    events: Events, created_ms: npt.NDArray[np.int64], now_ms: int, report: CleaningReport
) -> Suspicion:
    """Find what is suspicious and count it.

    created_ms: int64 [item ids of the events], UNKNOWN_TIME_MS where unknown.
    """
    times = events.times_ms
    acted = events.actions != ACTIONS.index("impression")
    dates_only = are_dates(times)
    order = _by_user(events, acted)
    bots = _fast_users(order, dates_only, len(events.user_ids))
    at_once = np.zeros(len(events.user_ids), dtype=np.bool_)
    if not dates_only:
        at_once = _users_at_one_instant(order, len(events.user_ids))

    # An item that may have existed always never comes too late.
    existed_ms = np.where(created_ms == UNKNOWN_TIME_MS, np.iinfo(np.int64).min, created_ms)
    reasons = {
        "later than now": times > now_ms + TOLERANCE_MS,
        "before the item existed": times + TOLERANCE_MS < existed_ms[events.item_codes],
        "on 1 January 1970, as unknown times often are": (
            (times < DAY_MS) & (times.max(initial=0) >= LEAST_REAL_TIME_MS)
        ),
        f"of users with {MIN_EVENTS_AT_ONE_INSTANT} events or more, all within one second": (
            at_once[events.user_codes] & acted
        ),
    }
    bot_events = bots[events.user_codes]
    report.times_are_dates = dates_only
    report.bot_like_users = int(bots.sum())
    report.bot_like_events = int(bot_events.sum())
    report.impossible_times.update(
        {reason: count for reason, mask in reasons.items() if (count := int(mask.sum()))}
    )
    return Suspicion(bot_events, np.logical_or.reduce(list(reasons.values())))


def are_dates(times_ms: npt.NDArray[np.int64]) -> bool:
    """Return whether times of several days all lie at the beginning of a day somewhere."""
    if len(times_ms) < 2 or times_ms.max() - times_ms.min() < DAY_MS:
        return False
    if (times_ms % DATE_STEP_MS).any():
        return False
    return len(np.unique(times_ms % DAY_MS)) <= MAX_DATE_OFFSETS


def _by_user(events: Events, acted: Mask) -> npt.NDArray[np.int64]:
    """Return user and second of each act as one number, ascending: sorted at once, in place."""
    keys = events.user_codes[acted].astype(np.int64) << 33
    keys += events.times_ms[acted] // 1_000
    keys.sort()
    return keys


def _fast_users(order: npt.NDArray[np.int64], dates_only: bool, users: int) -> Mask:
    fast = np.zeros(users, dtype=np.bool_)
    for seconds, most in BOT_LIMITS:
        if dates_only and seconds < DAY_S:
            continue
        # Another user's number is further away than any window.
        crowded = np.flatnonzero(order[most:] - order[:-most] < seconds)
        fast[order[crowded] >> 33] = True
    return fast


def _users_at_one_instant(order: npt.NDArray[np.int64], users: int) -> Mask:
    at_once = np.zeros(users, dtype=np.bool_)
    starts = np.flatnonzero(np.diff(order >> 33, prepend=-1))
    ends = np.append(starts[1:], len(order))
    if len(starts):
        still = order[ends - 1] == order[starts]
        many = ends - starts >= MIN_EVENTS_AT_ONE_INSTANT
        at_once[order[starts[still & many]] >> 33] = True
    return at_once
