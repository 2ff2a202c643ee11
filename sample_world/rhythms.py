"""Hours of the day, and when things are wanted."""

import numpy as np
import numpy.typing as npt

DAYPARTS = ("night", "breakfast", "midday", "afternoon", "evening", "late")
DAYPART_OF_HOUR = np.repeat(np.arange(6), (6, 4, 4, 3, 4, 3))
"""Daypart of each hour: nights end at 6, then 10, 14, 17 and 21 o'clock."""

# How much more than usual something is wanted, by daypart: on working days, at weekends.
RHYTHMS = {
    "breakfast": ((0.1, 9.0, 1.0, 0.5, 0.1, 0.1), (0.1, 7.0, 2.0, 0.7, 0.1, 0.1)),
    "lunch": ((0.1, 0.4, 7.0, 1.0, 0.8, 0.2), (0.1, 0.3, 5.0, 1.5, 1.0, 0.2)),
    "dinner": ((0.2, 0.1, 0.8, 0.6, 6.0, 1.5), (0.2, 0.1, 1.0, 0.8, 7.0, 1.5)),
    "night_out": ((0.8, 0.05, 0.05, 0.2, 1.0, 2.0), (2.5, 0.05, 0.1, 0.4, 3.0, 10.0)),
    "morning": ((0.2, 5.0, 1.5, 0.6, 0.5, 0.3), (0.2, 3.0, 2.0, 0.7, 0.5, 0.3)),
    "office": ((0.1, 1.5, 3.0, 3.0, 0.6, 0.3), (0.1, 0.4, 0.6, 0.6, 0.4, 0.2)),
    "commute": ((0.2, 5.0, 0.7, 1.0, 3.5, 0.6), (0.3, 0.8, 0.8, 0.8, 0.8, 0.6)),
    "afternoon": ((0.1, 0.4, 1.2, 4.0, 1.5, 0.4), (0.1, 0.5, 2.0, 5.0, 1.5, 0.4)),
    "evening": ((0.4, 0.2, 0.3, 0.6, 5.0, 3.0), (0.5, 0.3, 0.6, 1.2, 5.0, 3.5)),
    "bedtime": ((2.5, 0.3, 0.2, 0.3, 1.5, 7.0), (2.5, 0.5, 0.3, 0.4, 1.5, 6.0)),
    "weekend": ((0.1, 0.3, 0.4, 0.5, 0.9, 0.4), (0.2, 2.5, 5.0, 5.0, 2.0, 0.6)),
    "steady": ((0.6, 1.0, 1.0, 1.0, 1.2, 1.0), (0.6, 1.0, 1.2, 1.2, 1.2, 1.0)),
}

HOUR_MS = 3_600_000
# 1 January 1970 was a Thursday; with Monday as 0 that is 3.
FIRST_WEEKDAY = 3


def hour_of_week(times_ms: npt.NDArray[np.int64], utc_offset_minutes: int) -> npt.NDArray[np.int64]:
    """Return local hours since Monday midnight, 0 to 167, int64 of the shape of `times_ms`."""
    hours = (times_ms + utc_offset_minutes * 60_000) // HOUR_MS
    return (hours + FIRST_WEEKDAY * 24) % 168


def weekend_and_daypart(
    hours_of_week: npt.NDArray[np.int64], shift: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return 1 at weekends, else 0, and the daypart, for someone `shift` hours behind the clock."""
    own = (hours_of_week - shift) % 168
    return (own >= 5 * 24).astype(np.int64), DAYPART_OF_HOUR[own % 24]


def opening_mask(opening: str) -> npt.NDArray[np.bool_]:
    """Return bool [168], true in the hours in which a place is open.

    opening: such as "Mo-Fr 08:00-18:00; Sa-Su 20:00-02:00", in whole hours; "" is always.
    """
    if not opening:
        return np.ones(168, dtype=np.bool_)
    mask = np.zeros(168, dtype=np.bool_)
    days = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
    for rule in opening.split("; "):
        span, times = rule.split(" ")
        first, _, last = span.partition("-")
        start, end = (int(clock.split(":")[0]) for clock in times.split("-"))
        hours = np.arange(start, end if end > start else end + 24)
        for day in range(days.index(first), days.index(last or first) + 1):
            mask[(day * 24 + hours) % 168] = True
    return mask
