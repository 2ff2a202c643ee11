"""Telling people how far a long step is."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Say = Callable[[str], None]
T = TypeVar("T")
EVERY_S = 10.0


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
