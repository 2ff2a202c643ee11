"""Counts what callers get done who each wait for their answer. It needs nothing but Python."""

import time


class Counter:
    """Counts from when every caller has had one answer, or `seconds` are over.

    It is over after `seconds` more, once every caller could have had another answer; where answers
    take longer than that, after four times as long.
    """

    def __init__(self, callers: int, seconds: float) -> None:
        self._callers = callers
        self._seconds = seconds
        self._start = time.perf_counter()
        self._start_cpu = time.process_time()
        self._from = self._last = 0.0
        self._before = self._done = 0

    def add(self, count: int) -> bool:
        """Note so many texts done; return whether they count."""
        self._last = time.perf_counter()
        if self._from:
            self._done += count
            return True
        self._before += count
        taken = self._last - self._start
        warm = self._before >= self._callers and taken >= self._seconds / 10
        if warm or taken >= self._seconds:
            self._from = self._last
        return False

    def over(self) -> bool:
        """Tell whether enough was counted."""
        if not (self._from and self._done):
            return False
        taken = self._last - self._from
        enough = self._done >= self._callers
        return taken >= self._seconds * (1 if enough else 4)

    def cpu_ms(self, elsewhere_s: float = 0.0) -> float:
        """Return the milliseconds of a core that each answer took in this process and elsewhere."""
        taken = time.process_time() - self._start_cpu + elsewhere_s
        return 1000 * taken / (self._before + self._done)

    def rate(self) -> float:
        """Return what was done in a second."""
        return self._done / (self._last - self._from)
