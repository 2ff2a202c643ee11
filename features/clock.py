"""Local time as numbers that a model can read."""

import numpy as np
import numpy.typing as npt

CYCLE_WIDTH = 4
MS_PER_DAY = 86_400_000
# 1970-01-01 was a Thursday, three days after the Monday from which weeks count.
EPOCH_WEEKDAY_MS = 3 * MS_PER_DAY


def cycles(
    times_ms: npt.NDArray[np.int64], offsets_min: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """Return sine and cosine of local hour of day and of day of week, float32 [n, CYCLE_WIDTH]."""
    local_ms = times_ms + offsets_min.astype(np.int64) * 60_000
    day = (local_ms % MS_PER_DAY) / MS_PER_DAY * 2 * np.pi
    week_ms = 7 * MS_PER_DAY
    week = ((local_ms + EPOCH_WEEKDAY_MS) % week_ms) / week_ms * 2 * np.pi
    stacked = np.stack([np.sin(day), np.cos(day), np.sin(week), np.cos(week)], axis=-1)
    return np.asarray(stacked, dtype=np.float32)
