"""The pool: lanes take the oldest text and those of its length, online before bulk."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from tests.support.text_encoding import engine as engines
from tests.support.text_encoding import pool

TIMEOUT_S = 10


class SteppedEngine:
    """One lane, and one for bulk if asked; each call waits until it is let go.

    A text's vector is the sum of its ids.
    """

    precision = "f32"
    call_cost = 2
    tokens_max = 200
    rows_max = 64

    def __init__(self, *, bulk_lane: bool = False) -> None:
        self.calls: list[list[int]] = []
        self.started = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.bulk_go = threading.Semaphore(0)
        self.lanes: Sequence[engines.Run] = [self._run(self.go)]
        self.bulk_lanes: Sequence[engines.Run] = [self._run(self.bulk_go)] if bulk_lane else []
        self.alone: engines.Run | None = None

    def _run(self, go: threading.Semaphore) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        def run(tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
            self.calls.append(sorted(mask.sum(axis=1).tolist()))
            self.started.release()
            assert go.acquire(timeout=TIMEOUT_S)
            if (tokens == 666).any():
                raise RuntimeError("no such number")
            return (tokens * mask).sum(axis=1, keepdims=True).astype(np.float32)

        return run

    def wait(self) -> None:
        assert self.started.acquire(timeout=TIMEOUT_S)


@contextmanager
def pool_of(engine: SteppedEngine) -> Iterator[pool.Pool]:
    made = pool.Pool(engine, dimension=1, pad_id=0)
    try:
        yield made
    finally:
        engine.go.release(1000)
        engine.bulk_go.release(1000)
        made.stop()


def text(length: int) -> list[int]:
    return [1] * length


def put(to: pool.Pool, *ids: list[int], bulk: bool = False) -> "Future[np.ndarray | Exception]":
    answer: Future[np.ndarray | Exception] = Future()
    to.put(ids, answer.set_result, bulk=bulk)
    return answer


def vectors(answer: "Future[np.ndarray | Exception]") -> list[float]:
    result = answer.result(timeout=TIMEOUT_S)
    assert isinstance(result, np.ndarray)
    return result[:, 0].tolist()


def test_a_lone_text_is_encoded_at_once() -> None:
    engine = SteppedEngine()
    with pool_of(engine) as texts:
        answer = put(texts, text(5))
        engine.wait()
        engine.go.release()
        assert vectors(answer) == [5]


def test_what_waits_is_grouped_by_length_from_the_oldest_on() -> None:
    engine = SteppedEngine()
    with pool_of(engine) as texts:
        put(texts, text(1))
        engine.wait()
        answers = [put(texts, text(length)) for length in (50, 9, 51, 10)]
        for _ in range(2):
            engine.go.release()
            engine.wait()
        engine.go.release()
        assert [vectors(answer) for answer in answers] == [[50], [9], [51], [10]]
    assert engine.calls == [[1], [50, 51], [9, 10]]


def test_a_request_of_many_lengths_is_answered_as_a_whole_in_its_order() -> None:
    engine = SteppedEngine()
    with pool_of(engine) as texts:
        answer = put(texts, text(40), text(3), text(41), text(4))
        engine.wait()
        engine.go.release()
        engine.wait()
        assert not answer.done()
        engine.go.release()
        assert vectors(answer) == [40, 3, 41, 4]
    assert engine.calls == [[40, 41], [3, 4]]


def test_no_texts_are_answered_at_once() -> None:
    with pool_of(SteppedEngine()) as texts:
        assert vectors(put(texts)) == []


def test_online_texts_overtake_bulk_ones_where_both_share_a_lane() -> None:
    engine = SteppedEngine()
    with pool_of(engine) as texts:
        put(texts, text(1))
        engine.wait()
        put(texts, text(20), bulk=True)
        put(texts, text(30))
        engine.go.release(3)
    assert engine.calls == [[1], [30], [20]]


def test_an_online_text_waits_for_no_bulk_one_where_those_have_a_lane() -> None:
    engine = SteppedEngine(bulk_lane=True)
    with pool_of(engine) as texts:
        bulk = put(texts, text(20), bulk=True)
        engine.wait()
        online = put(texts, text(30))
        engine.wait()
        engine.go.release()
        assert vectors(online) == [30]
        assert not bulk.done()
        engine.bulk_go.release()
        assert vectors(bulk) == [20]


def test_beside_online_texts_half_of_the_lanes_for_bulk_stay_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = SteppedEngine(bulk_lane=True)
    engine.bulk_lanes = [*engine.bulk_lanes, *engine.bulk_lanes]
    monkeypatch.setattr(pool, "QUIET_S", 0.2)
    with pool_of(engine) as texts:
        engine.go.release(2)
        for _ in range(2):
            assert vectors(put(texts, text(5))) == [5]
            engine.wait()
        start = time.monotonic()
        put(texts, text(20), text(60), bulk=True)
        engine.wait()
        engine.wait()  # the second is not done: the other lane takes the next when all is quiet
        assert time.monotonic() - start >= 0.1
    assert engine.calls == [[5], [5], [20], [60]]


def test_bulk_work_never_gets_the_whole_machine() -> None:
    engine = SteppedEngine(bulk_lane=True)
    engine.alone = lambda tokens, mask: np.full((len(tokens), 1), 7.0, np.float32)
    with pool_of(engine) as texts:
        engine.bulk_go.release()
        assert vectors(put(texts, text(5), bulk=True)) == [5]


def test_a_lone_group_gets_the_whole_machine() -> None:
    engine = SteppedEngine()
    engine.alone = lambda tokens, mask: np.full((len(tokens), 1), 7.0, np.float32)
    with pool_of(engine) as texts:
        assert vectors(put(texts, text(5), text(5))) == [7, 7]
        answer = put(texts, text(5), text(60))  # two groups
        engine.go.release()
        assert vectors(answer)[0] == 5


def test_beside_bulk_work_a_lone_group_keeps_to_its_lane() -> None:
    engine = SteppedEngine(bulk_lane=True)
    engine.alone = lambda tokens, mask: np.full((len(tokens), 1), 7.0, np.float32)
    with pool_of(engine) as texts:
        bulk = put(texts, text(20), bulk=True)
        engine.wait()
        engine.go.release()
        assert vectors(put(texts, text(5))) == [5]
        engine.bulk_go.release()
        assert vectors(bulk) == [20]
        assert vectors(put(texts, text(5))) == [7]


def test_what_goes_wrong_reaches_those_whose_texts_were_in_the_group() -> None:
    engine = SteppedEngine()
    with pool_of(engine) as texts:
        bad, good = put(texts, [666, 1], text(50)), put(texts, text(30))
        engine.go.release(3)
        assert isinstance(bad.result(timeout=TIMEOUT_S), RuntimeError)
        assert vectors(good) == [30]


def test_texts_beyond_the_limit_wait_at_the_callers() -> None:
    engine = SteppedEngine()
    engine.rows_max = 3
    with pool_of(engine) as texts:
        put(texts, text(1))
        engine.wait()
        put(texts, text(10))
        put(texts, text(20), text(30))
        with ThreadPoolExecutor() as threads:
            late = threads.submit(put, texts, text(40))
            with pytest.raises(TimeoutError):
                late.result(timeout=0.05)
            engine.go.release()
            assert late.result(timeout=TIMEOUT_S)
            engine.go.release(1000)


def test_a_request_whose_groups_end_together_is_answered_once() -> None:
    engine = SteppedEngine()
    engine.lanes = [*engine.lanes, *engine.lanes, *engine.lanes]
    engine.go.release(10_000)
    answers: list[np.ndarray | Exception] = []
    with pool_of(engine) as texts:
        for _ in range(300):
            texts.put([text(1), text(30), text(90)], answers.append)
    assert len(answers) == 300
    assert all(np.array_equal(each, [[1], [30], [90]]) for each in answers)  # type: ignore[arg-type]


def test_padding_is_counted() -> None:
    engine = SteppedEngine()
    with pool_of(engine) as texts:
        assert texts.padding() == (0, 0)
        answer = put(texts, text(10), text(8))
        engine.go.release()
        vectors(answer)
        assert texts.padding() == (20, 2)


def test_stopping_finishes_what_waits() -> None:
    engine = SteppedEngine()
    engine.go.release(1000)
    texts = pool.Pool(engine, dimension=1, pad_id=0)
    answers = [put(texts, text(length)) for length in range(1, 60)]
    texts.stop()
    assert [vectors(answer) for answer in answers] == [[length] for length in range(1, 60)]
