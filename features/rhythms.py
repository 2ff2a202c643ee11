"""When items are wanted: by hour, on working days and at weekends."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.clock import NO_CLOCK, hour_of_week
from features.moment import Moment

Float32 = npt.NDArray[np.float32]
# 24 hours of a working day, then 24 of a day of the weekend.
BINS = 48
LIFT_MOST = 3.0


@dataclass(frozen=True)
class Rhythms:
    """How much more than others an item is wanted at an hour, as the logarithm of a ratio.

    lifts: float16 [items, BINS]. projection: float32 [D, BINS], from text vectors to the share of
    an hour above its usual one; base: float32 [BINS], the usual shares: for items that the release
    does not hold.
    """

    lifts: npt.NDArray[np.float16]
    projection: Float32
    base: Float32

    def at(self, moment: Moment, rows: npt.NDArray[np.int32], vectors: Float32) -> Float32:
        """Return the lifts of items at a moment, float32 [n]; zeros where hours are not known.

        rows: int32 [n], -1 where the text vector [n, D] has to do.
        """
        if moment.offset_min == NO_CLOCK:
            return np.zeros(len(rows), np.float32)
        hour = bin_of(moment)
        base = self.base[hour]
        found = lift(base + vectors @ self.projection[:, hour], base)
        known = rows >= 0
        found[known] = self.lifts[rows[known], hour]
        return found

    def of_all(self, moment: Moment) -> Float32 | None:
        """Return the lifts of all items of the release at a moment, None if its hour is unknown."""
        if moment.offset_min == NO_CLOCK:
            return None
        return self.lifts[:, bin_of(moment)].astype(np.float32)


def bin_of(moment: Moment) -> int:
    """Return the bin of a moment whose hour is known."""
    offsets = np.array([moment.offset_min], np.int32)
    return int(bins_of(np.array([moment.time_ms], np.int64), offsets)[0])


def bins_of(
    times_ms: npt.NDArray[np.int64], offsets_min: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """Return the bin of each time, int64 [n] from 0 to below BINS."""
    hours = hour_of_week(times_ms, offsets_min).astype(np.int64)
    return np.asarray(hours % 24 + 24 * (hours // 24 >= 5), np.int64)


def lift(shares: Float32, base: npt.NDArray[np.floating] | np.floating) -> Float32:
    """Return log(shares / base), bounded by LIFT_MOST; 0 where the base is 0."""
    ratio = np.maximum(shares, 1e-9) / np.maximum(base, 1e-9)
    bounded = np.clip(np.log(ratio), -LIFT_MOST, LIFT_MOST)
    return np.where(base > 0, bounded, 0.0).astype(np.float32)
