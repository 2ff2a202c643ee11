"""Texts that wait for the engine, and the threads that encode them."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from text_encoding.engine import Engine, Run
from text_encoding.grouping import pad, similar_to_first

Done = Callable[[np.ndarray | Exception], None]
# Of `rows_max`: how many bulk texts wait here.
BULK_FACTOR = 8
# For so long after two online requests half of the lanes for bulk stay empty: a thread that wakes
# for the next then finds a core without having to take it from another. One may be a mere probe.
QUIET_S = 1.0


class _Asked:
    """Texts that are answered together. vectors: float32 [texts, dimension], filled by groups."""

    def __init__(self, ids: Sequence[Sequence[int]], dimension: int, done: Done) -> None:
        self.ids = ids
        self.vectors = np.empty((len(ids), dimension), np.float32)
        self.left = len(ids)
        self.failure: Exception | None = None
        self.done = done


class Pool:
    """Encodes without pause: a lane that is free takes the oldest text and those similar in length.

    Nothing waits for a batch to end, a short text does not wait for long ones that came with it.
    """

    def __init__(self, engine: Engine, dimension: int, pad_id: int) -> None:
        """dimension: of the vectors. pad_id: the token that fills up."""
        self._engine = engine
        self._dimension = dimension
        self._pad_id = pad_id
        self._online: list[tuple[_Asked, int]] = []
        self._bulk: list[tuple[_Asked, int]] = []
        self._busy = 0
        self._bulk_busy = 0
        self._online_times = deque([0.0, 0.0], maxlen=2)
        self._stopped = False
        # One lock, and a condition for each who waits: a thread that wakes for nothing takes the
        # interpreter from the one that has work.
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._online_work = threading.Condition(self._lock)
        self._bulk_work = threading.Condition(self._lock)
        self._tokens = 0
        self._computed = 0
        both = [self._online] if engine.bulk_lanes else [self._online, self._bulk]
        work = [(lane, both) for lane in engine.lanes]
        work += [(lane, [self._bulk]) for lane in engine.bulk_lanes]
        self._threads = [
            threading.Thread(target=self._loop, args=each, name="lane", daemon=True)
            for each in work
        ]
        for thread in self._threads:
            thread.start()

    def put(self, ids: Sequence[Sequence[int]], done: Done, *, bulk: bool = False) -> None:
        """Have texts encoded; another thread gives `done` the vectors, or what went wrong.

        Blocks while `rows_max` or more wait, and in bulk while eight times as many do.
        """
        asked = _Asked(ids, self._dimension, done)
        if not ids:
            done(asked.vectors)
            return
        with self._lock:
            queue, most = self._online, self._engine.rows_max
            if bulk:
                # While this waits, online texts behind it do: it must take a crowd.
                queue, most = self._bulk, BULK_FACTOR * most
            self._room.wait_for(lambda: len(queue) < most)
            if not bulk:
                self._online_times.append(time.monotonic())
            queue.extend((asked, row) for row in range(len(ids)))
            taker = self._bulk_work if bulk and self._engine.bulk_lanes else self._online_work
            taker.notify(len(ids))

    def padding(self) -> tuple[int, int]:
        """Return how many tokens were computed up to now, and how many of them were padding."""
        with self._lock:
            return self._computed, self._computed - self._tokens

    def stop(self) -> None:
        """Finish what waits, then end the threads."""
        with self._lock:
            self._stopped = True
            for waiting in (self._room, self._online_work, self._bulk_work):
                waiting.notify_all()
        for thread in self._threads:
            thread.join()

    def _loop(self, lane: Run, queues: Sequence[list[tuple[_Asked, int]]]) -> None:
        online = any(queue is self._online for queue in queues)
        while taken := self._take(queues, online):
            group, alone = taken
            run = self._engine.alone if alone and self._engine.alone else lane
            try:
                padded = pad([asked.ids[row] for asked, row in group], self._pad_id)
                vectors: np.ndarray | Exception = run(*padded)
            except Exception as error:
                vectors = error
            self._finish(group, vectors, online)

    def _take(
        self, queues: Sequence[list[tuple[_Asked, int]]], online: bool
    ) -> tuple[list[tuple[_Asked, int]], bool] | None:
        """Return a group, and whether nothing else is to be done. None: all is done."""
        work = self._online_work if online else self._bulk_work
        with self._lock:
            while not self._stopped and not (any(queues) and (online or self._bulk_may_go())):
                work.wait(timeout=QUIET_S if any(queues) else None)
            queue = next((queue for queue in queues if queue), None)
            if queue is None:
                return None
            lengths = [len(asked.ids[row]) for asked, row in queue]
            chosen = similar_to_first(lengths, self._engine.call_cost, self._engine.tokens_max)
            group = [queue[place] for place in chosen]
            gone = set(chosen)
            queue[:] = [each for place, each in enumerate(queue) if place not in gone]
            # Beside other load all cores together are slower than one.
            alone = online and not (self._busy or self._bulk_busy or queue)
            self._busy += online
            self._bulk_busy += not online
            self._room.notify_all()
            return group, alone

    def _bulk_may_go(self) -> bool:
        lanes = len(self._engine.bulk_lanes)
        quiet = time.monotonic() - self._online_times[0] >= QUIET_S
        return self._bulk_busy < (lanes if quiet else max(1, lanes // 2))

    def _finish(
        self,
        group: Sequence[tuple[_Asked, int]],
        vectors: np.ndarray | Exception,
        online: bool,
    ) -> None:
        complete = []
        with self._lock:
            self._busy -= online
            self._bulk_busy -= not online
            if not online:
                self._bulk_work.notify()  # one may go that stayed behind
            self._computed += len(group) * max(len(asked.ids[row]) for asked, row in group)
            for place, (asked, row) in enumerate(group):
                self._tokens += len(asked.ids[row])
                asked.left -= 1
                if isinstance(vectors, Exception):
                    asked.failure = vectors
                else:
                    asked.vectors[row] = vectors[place]
                if asked.left == 0:
                    complete.append(asked)
        for asked in complete:
            asked.done(asked.failure or asked.vectors)
