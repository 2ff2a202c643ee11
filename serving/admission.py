"""How many requests are worked on at a time: as many as are answered in good time.

A limit on concurrency that rises by additions and falls by a factor, as TCP's window does (Chiu and
Jain, 1989). What tells of too many is that full answers come late, not that answers are slow: where
a part hangs, answers are degraded, and nobody is refused for it.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.errors import Overloaded

# Of the time that a request has, what a full answer may take before it counts as late. The rest is
# room for the swings of a queue.
LATE_SHARE = 0.4
# Nor one that takes less than so many times what it takes when nobody waits, whatever its deadline.
LATE_FACTOR = 2.0
# By these the limit falls: as far as the answer was late, but neither hardly nor to nothing.
FALL_MOST, FALL_LEAST = 0.5, 0.9
SMOOTHING = 0.1
RETRY_LEAST_S = 0.05


class Admission:
    """Admits requests up to a limit between `least` and `most`, which it finds by itself."""

    def __init__(
        self, most: int, least: int = 4, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._least = min(least, most)
        self._clock = clock
        self._limit = float(most)
        self._in_flight = 0
        self._fell_at = -math.inf
        self._usual_s = 0.0
        self._alone_s = 0.0

    @property
    def limit(self) -> int:
        """How many may be under way at a time at present."""
        return int(self._limit)

    @contextmanager
    def slot(self, allowed_s: float) -> Iterator["Slot"]:
        """Hold a place while the context is entered; `allowed_s` is the time that there is.

        Raises Overloaded where there is none; it says when those under way will be done.
        """
        if self._in_flight >= self.limit:
            raise Overloaded(max(self._usual_s, RETRY_LEAST_S))
        self._in_flight += 1
        slot = Slot(self._clock(), allowed_s, alone=self._in_flight == 1)
        try:
            yield slot
        finally:
            if slot.told:
                self._learn(slot)
            self._in_flight -= 1

    def _learn(self, slot: "Slot") -> None:
        now = self._clock()
        taken_s = now - slot.began
        self._usual_s = _smoothed(self._usual_s, taken_s)
        if slot.alone and slot.full:
            self._alone_s = _smoothed(self._alone_s, taken_s)
        in_time_s = max(slot.allowed_s * LATE_SHARE, self._alone_s * LATE_FACTOR)
        if slot.refused or (slot.full and taken_s > in_time_s):
            # Those that began before the last fall tell of what was before it.
            if slot.began >= self._fell_at:
                fall = min(max(in_time_s / taken_s, FALL_MOST), FALL_LEAST)
                self._limit = max(self._least, min(self._limit, self._in_flight) * fall)
                self._fell_at = now
        elif slot.full and self._in_flight > self._limit / 2:
            self._limit = min(self._most, self._limit + 1 / self._limit)


class Slot:
    """The place of one request. alone: nothing else was under way when it began."""

    def __init__(self, began: float, allowed_s: float, *, alone: bool) -> None:
        self.began = began
        self.allowed_s = allowed_s
        self.alone = alone
        self.told = self.full = self.refused = False

    def tell(self, *, full: bool, refused: bool) -> None:
        """Say what came of it: a full answer, or one of which a part refused its share of work."""
        self.told, self.full, self.refused = True, full, refused


def _smoothed(usual: float, value: float) -> float:
    return usual + SMOOTHING * (value - usual) if usual else value
