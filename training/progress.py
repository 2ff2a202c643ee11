"""Telling people how far a long step is, and recording the numbers that it produces."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Say = Callable[[str], None]
Write = Callable[[str, float, int], None]
T = TypeVar("T")
EVERY_S = 10.0


class Tracker:
    """Says lines as any `Say` does, and besides keeps the numbers of training.

    write: takes name, value and step, the step counted from 1 for each name, as
    `SummaryWriter.add_scalar` does.
    """

    def __init__(self, say: Say, write: Write) -> None:
        self._say = say
        self._write = write
        self.steps: Counter[str] = Counter()

    def __call__(self, message: str) -> None:
        """Say a line."""
        self._say(message)

    def scalar(self, name: str, value: float) -> None:
        """Keep the next value of a number."""
        self.steps[name] += 1
        self._write(name, float(value), self.steps[name])


def record(say: Say, name: str, value: float) -> None:
    """Keep a number, such as `tower/loss`, where `say` is a Tracker; else do nothing."""
    if isinstance(say, Tracker):
        say.scalar(name, value)


class Rate:
    """How many of something are done in a second, between one look and the next."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def of(self, count: float) -> float:
        """Return count per second since the last look."""
        now = time.monotonic()
        rate = count / max(now - self._last, 1e-9)
        self._last = now
        return rate


def tracked(items: Iterable[T], total: int, what: str, say: Say) -> Iterator[T]:
    """Yield items; every few seconds say how many are done and about how long the rest takes."""
    start = spoken = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - spoken >= EVERY_S:
            spoken = now
            left = (now - start) / done * (total - done)
            say(f"{what}: {done:,} of {total:,}, about {left:.0f} s left")
