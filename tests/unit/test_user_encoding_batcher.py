"""The batcher: gather while working."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.support.user_encoding import batcher

TIMEOUT_S = 10


class SlowRun:
    """Notes its batches; each waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.started = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, batch: list[str]) -> None:
        self.batches.append(batch)
        self.started.release()
        assert self.go.acquire(timeout=TIMEOUT_S)


def test_a_lone_piece_of_work_runs_at_once() -> None:
    run = SlowRun()
    gathering = batcher.Batcher(run, rows_max=4)
    gathering.put("a", rows=1)
    assert run.started.acquire(timeout=TIMEOUT_S)
    assert run.batches == [["a"]]
    run.go.release()
    gathering.stop()


def test_what_comes_meanwhile_is_the_next_batch_in_order() -> None:
    run = SlowRun()
    gathering = batcher.Batcher(run, rows_max=4)
    gathering.put("a", rows=1)
    assert run.started.acquire(timeout=TIMEOUT_S)
    for work in "bcd":
        gathering.put(work, rows=1)
    run.go.release(2)
    gathering.stop()
    assert run.batches == [["a"], ["b", "c", "d"]]


def test_work_beyond_the_limit_waits_at_the_callers() -> None:
    run = SlowRun()
    gathering = batcher.Batcher(run, rows_max=4)
    gathering.put("a", rows=1)
    assert run.started.acquire(timeout=TIMEOUT_S)
    gathering.put("b", rows=3)
    gathering.put("c", rows=64)  # fewer than four rows wait, so it still goes in
    with ThreadPoolExecutor() as threads:
        late = threads.submit(gathering.put, "d", 1)
        assert not late.done()
        run.go.release()
        late.result(timeout=TIMEOUT_S)
    run.go.release(2)
    gathering.stop()
    assert run.batches == [["a"], ["b", "c"], ["d"]]


def test_stopping_finishes_what_waits() -> None:
    done: list[int] = []
    gathering = batcher.Batcher(done.extend, rows_max=4)
    for number in range(100):
        gathering.put(number, rows=1)
    gathering.stop()
    assert done == list(range(100))
