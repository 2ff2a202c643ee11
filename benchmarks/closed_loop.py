"""Counts what callers get done who each wait for their answer. It needs nothing but Python."""

import time


class Counter:
    """Counts from when every caller has had one answer and a tenth of the time is over.

    It is over after `seconds`, and not before every caller could have had one more.
    """

    def __init__(self, callers: int, seconds: float) -> None:
        self._callers = callers
        self._seconds = seconds
        self._start = time.perf_counter()
        self._from = self._last = 0.0
        self._before = self._done = 0

    def add(self, count: int) -> bool:
        """Note so many texts done; return whether they count."""
        self._last = time.perf_counter()
        if self._from:
            self._done += count
            return True
        self._before += count
        if self._before >= self._callers and self._last - self._start >= self._seconds / 10:
            self._from = self._last
        return False

    def over(self) -> bool:
        """Tell whether enough was counted."""
        enough = self._done >= self._callers
        return bool(self._from and enough and self._last - self._from >= self._seconds)

    def rate(self) -> float:
        """Return what was done in a second."""
        return self._done / (self._last - self._from)
