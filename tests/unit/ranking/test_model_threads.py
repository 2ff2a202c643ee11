import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from ranking_service.model_threads import ModelThreads
from serving.errors import DeadlineExceeded, Overloaded
from serving.stages import Deadline


class Slow:
    """Doubles numbers, batch by batch, each when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.free = threading.Semaphore(0)

    def __call__(self, batch: Sequence[int]) -> Iterator[int | Exception]:
        self.batches.append(list(batch))
        self.free.acquire()
        for number in batch:
            yield ValueError("13 is unlucky") if number == 13 else 2 * number


@pytest.fixture
def slow() -> Slow:
    return Slow()


async def begin(
    thread: ModelThreads[int, int], *numbers: int, size: int = 1, seconds: float = 60.0
) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(thread.run(n, size, Deadline(seconds))) for n in numbers]
    await asyncio.sleep(0.05)
    return tasks


async def test_work_that_comes_alone_runs_alone_and_what_waits_runs_together(slow: Slow) -> None:
    thread = ModelThreads[int, int](slow, queue_max=8, size_max=2)
    tasks = [*await begin(thread, 1), *await begin(thread, 2, 3, 4)]
    slow.free.release(9)
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert slow.batches == [[1], [2, 3], [4]]
    thread.close()


async def test_what_is_larger_than_a_batch_runs_alone(slow: Slow) -> None:
    thread = ModelThreads[int, int](slow, queue_max=8, size_max=10)
    tasks = [*await begin(thread, 1), *await begin(thread, 2, size=50), *await begin(thread, 3)]
    slow.free.release(9)
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert slow.batches == [[1], [2], [3]]
    thread.close()


async def test_what_goes_wrong_with_one_is_not_the_others_answer(slow: Slow) -> None:
    thread = ModelThreads[int, int](slow, queue_max=8, size_max=9)
    tasks = [*await begin(thread, 1), *await begin(thread, 13, 4)]
    slow.free.release(9)
    assert await tasks[2] == 8
    with pytest.raises(ValueError, match="unlucky"):
        await tasks[1]
    thread.close()


async def test_a_batch_that_breaks_is_told_to_all_and_the_thread_goes_on() -> None:
    def broken(batch: Sequence[int]) -> Iterator[int]:
        yield from (number // (number - 2) for number in batch)

    thread = ModelThreads[int, int](broken, queue_max=8, size_max=1)
    with pytest.raises(ZeroDivisionError):
        await thread.run(2, 1, Deadline(60.0))
    assert await thread.run(3, 1, Deadline(60.0)) == 3
    thread.close()


async def test_late_and_cancelled_work_is_dropped_before_it_runs(slow: Slow) -> None:
    thread = ModelThreads[int, int](slow, queue_max=8, size_max=9)
    (first,) = await begin(thread, 1)
    (late,) = await begin(thread, 2, seconds=0.01)
    gone, waiting = await begin(thread, 3, 4)
    gone.cancel()
    await asyncio.sleep(0.05)
    slow.free.release(9)
    assert await first == 2
    assert await waiting == 8
    with pytest.raises(DeadlineExceeded):
        await late
    assert slow.batches == [[1], [4]]
    thread.close()


async def test_more_than_may_wait_is_refused(slow: Slow) -> None:
    thread = ModelThreads[int, int](slow, queue_max=2, size_max=9)
    tasks = await begin(thread, 1, 2)
    with pytest.raises(Overloaded):
        await thread.run(3, 1, Deadline(60.0))
    slow.free.release(9)
    assert await asyncio.gather(*tasks) == [2, 4]
    thread.close()


async def test_what_would_come_too_late_is_refused_at_once(slow: Slow) -> None:
    thread = ModelThreads[int, int](slow, queue_max=9, size_max=9)
    (task,) = await begin(thread, 1)
    slow.free.release()
    await task
    tasks = await begin(thread, 2, size=100)
    with pytest.raises(Overloaded):
        await thread.run(3, 1, Deadline(1.0))
    slow.free.release(9)
    await asyncio.gather(*tasks)
    thread.close()
