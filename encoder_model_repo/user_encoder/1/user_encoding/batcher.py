"""Gathers the next batch while the engine works on one."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Work = TypeVar("Work")


class Batcher(Generic[Work]):
    """A thread that runs batches of whatever was put meanwhile.

    `put` blocks while `rows_max` rows or more are waiting, so that the rest waits at the caller's.
    `run` must not raise.
    """

    def __init__(self, run: Callable[[list[Work]], None], rows_max: int) -> None:
        self._run = run
        self._rows_max = rows_max
        self._waiting: list[Work] = []
        self._rows = 0
        self._stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._loop, name="batcher", daemon=True)
        self._thread.start()

    def put(self, work: Work, rows: int) -> None:
        """Hand over work of so many rows."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows < self._rows_max)
            self._waiting.append(work)
            self._rows += rows
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish what is waiting, then end the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _loop(self) -> None:
        while batch := self._take():
            self._run(batch)

    def _take(self) -> list[Work]:
        """Return all that waits, nothing only when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            batch, self._waiting, self._rows = self._waiting, [], 0
            self._changed.notify_all()
        return batch
