"""Local time as numbers that a model can read."""

import numpy as np
import numpy.typing as npt

CYCLE_WIDTH = 6
MS_PER_DAY = 86_400_000
MS_PER_HOUR = 3_600_000
MS_PER_YEAR = 365.2425 * MS_PER_DAY
HOURS_PER_WEEK = 168
# 1970-01-01 was a Thursday, three days after the Monday from which weeks count.
EPOCH_WEEKDAY_MS = 3 * MS_PER_DAY
# Instead of an offset from UTC: the local time is withheld.
NO_CLOCK = int(np.iinfo(np.int32).min)

Times = npt.NDArray[np.int64]
Offsets = npt.NDArray[np.int32]


def cycles(times_ms: Times, offsets_min: Offsets) -> npt.NDArray[np.float32]:
    """Return local hour of day, day of week and day of year, float32 [n, CYCLE_WIDTH].

    Each as sine and cosine; zeros where the local time is withheld.
    """
    local_ms = _local_ms(times_ms, offsets_min)
    day = (local_ms % MS_PER_DAY) / MS_PER_DAY
    week = hour_of_week(times_ms, offsets_min) / HOURS_PER_WEEK
    year = (local_ms % MS_PER_YEAR) / MS_PER_YEAR
    turns = np.stack([day, week, year], axis=-1) * 2 * np.pi
    waves = np.stack([np.sin(turns), np.cos(turns)], axis=-1).reshape(len(times_ms), CYCLE_WIDTH)
    return np.where((offsets_min == NO_CLOCK)[:, None], 0.0, waves).astype(np.float32)


def hour_of_week(times_ms: Times, offsets_min: Offsets) -> npt.NDArray[np.float64]:
    """Return the local hours since Monday 00:00, float64 [n] from 0 to below 168."""
    week_ms = 7 * MS_PER_DAY
    hours = ((_local_ms(times_ms, offsets_min) + EPOCH_WEEKDAY_MS) % week_ms) / MS_PER_HOUR
    return np.asarray(hours, np.float64)


def _local_ms(times_ms: Times, offsets_min: Offsets) -> Times:
    offsets = np.where(offsets_min == NO_CLOCK, 0, offsets_min).astype(np.int64)
    return np.asarray(times_ms + offsets * 60_000, np.int64)
