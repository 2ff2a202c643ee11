"""The threads that compute: requests wait for them in order, a bounded number of them."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from serving.errors import DeadlineExceeded, Overloaded
from serving.stages import Deadline

Work = TypeVar("Work")
Answer = TypeVar("Answer")
SMOOTHING = 0.1


@dataclass
class _Waiting(Generic[Work, Answer]):
    """work: what to compute, of `size`, until a deadline. answer: its caller awaits it."""

    work: Work
    size: int
    deadline: Deadline
    answer: asyncio.Future[Answer]
    loop: asyncio.AbstractEventLoop

    def settle(self, answer: Answer | Exception) -> None:
        """Give the caller its answer, from any thread."""
        self.loop.call_soon_threadsafe(self._settle, answer)

    def _settle(self, answer: Answer | Exception) -> None:
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class ModelThreads(Generic[Work, Answer]):
    """Runs batches of what waits, as many at a time as there are threads.

    Nothing waits for a batch to fill: work that comes alone runs alone. What has come meanwhile
    runs together as long as it is small, since of many tokens each costs the same in any company.

    Work is refused when the queue is full or its turn would come after its deadline, by a moving
    average of what a token takes a thread; work whose caller is gone is dropped before it runs.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Work]], Iterable[Answer | Exception]],
        queue_max: int,
        size_max: int,
        threads: int = 1,
    ) -> None:
        """run: gives the answers of a batch one after the other. queue_max: how much work may wait.
        size_max: of a batch; larger work runs alone.
        """
        self._run = run
        self._queue_max = queue_max
        self._size_max = size_max
        self._waiting: deque[_Waiting[Work, Answer]] = deque()
        self._size = 0  # of all that waits or runs
        self._count = 0
        self._token_s = 0.0
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._loop, name=f"model-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Work, size: int, deadline: Deadline) -> Answer:
        """Run work of so many tokens in its turn. Raises Overloaded, or DeadlineExceeded."""
        wait_s = self._size * self._token_s / len(self._threads)
        if self._count >= self._queue_max or wait_s > deadline.remaining():
            raise Overloaded(max(wait_s, size * self._token_s))
        loop = asyncio.get_running_loop()
        waiting = _Waiting[Work, Answer](work, size, deadline, loop.create_future(), loop)
        with self._changed:
            self._count += 1
            self._size += size
            self._waiting.append(waiting)
            self._changed.notify()
        try:
            return await waiting.answer
        finally:
            with self._changed:
                self._count -= 1
                self._size -= size

    def close(self) -> None:
        """Drop what waits and end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _loop(self) -> None:
        while batch := self._take():
            start = time.monotonic()
            given = 0
            try:
                for waiting, answer in zip(batch, self._run([w.work for w in batch]), strict=True):
                    waiting.settle(answer)
                    given += 1
            except Exception as error:  # whatever it is, the callers wait for an answer
                for waiting in batch[given:]:
                    waiting.settle(error)
            taken_s = (time.monotonic() - start) / sum(waiting.size for waiting in batch)
            self._token_s += SMOOTHING * (taken_s - self._token_s) if self._token_s else taken_s

    def _take(self) -> list[_Waiting[Work, Answer]]:
        """Return the next batch, nothing only when closed."""
        batch: list[_Waiting[Work, Answer]] = []
        size = 0
        with self._changed:
            while not batch:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    while self._waiting:
                        waiting = self._waiting.popleft()
                        waiting.loop.call_soon_threadsafe(waiting.answer.cancel)
                    return []
                while self._waiting and (
                    not batch or size + self._waiting[0].size <= self._size_max
                ):
                    waiting = self._waiting.popleft()
                    if waiting.answer.cancelled():
                        continue
                    if waiting.deadline.remaining() <= 0:
                        waiting.settle(DeadlineExceeded())
                        continue
                    batch.append(waiting)
                    size += waiting.size
        return batch
