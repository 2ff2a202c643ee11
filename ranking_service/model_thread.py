"""The one thread that computes: requests wait for it in order, a bounded number of them."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.errors import DeadlineExceeded, Overloaded
from serving.stages import Deadline

T = TypeVar("T")
SMOOTHING = 0.1


class ModelThread:
    """Runs work one piece at a time; more at once would only share the same cores.

    Work is refused when the queue is full or its turn would come after its deadline, by a moving
    average of what a piece takes; work whose caller is gone is dropped before it runs.
    """

    def __init__(self, queue_max: int) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._queue_max = queue_max
        self._waiting = 0
        self._usual_s = 0.0

    async def run(self, work: Callable[[], T], deadline: Deadline) -> T:
        """Run work in its turn. Raises Overloaded, or DeadlineExceeded."""
        wait_s = self._waiting * self._usual_s
        if self._waiting >= self._queue_max or wait_s > deadline.remaining():
            raise Overloaded(max(wait_s, self._usual_s))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._timed, work, deadline
            )
        finally:
            self._waiting -= 1

    def _timed(self, work: Callable[[], T], deadline: Deadline) -> T:
        if deadline.remaining() <= 0:
            raise DeadlineExceeded
        start = time.monotonic()
        try:
            return work()
        finally:
            taken_s = time.monotonic() - start
            self._usual_s += SMOOTHING * (taken_s - self._usual_s) if self._usual_s else taken_s

    def close(self) -> None:
        """Drop what waits and end the thread."""
        self._executor.shutdown(wait=True, cancel_futures=True)
