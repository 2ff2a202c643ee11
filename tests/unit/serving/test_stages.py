import asyncio
import logging
import time
from typing import NoReturn

import grpc
import grpc.aio
import pytest

from serving.errors import (
    DeadlineExceeded,
    DependencyUnavailable,
    InvalidField,
    Overloaded,
    StorageUnavailable,
    TandemError,
    VersionMismatch,
    status_of,
)
from serving.stages import Deadline, NoInput, StageLog
from tandem.v1 import stage_pb2
from tandem.v1.stage_pb2 import SkipCause, Stage

STAGE = stage_pb2.STAGE_RANK


async def failing(error: Exception) -> NoReturn:
    raise error


def rpc_error(error: TandemError) -> grpc.aio.AioRpcError:
    status = status_of(error)
    return grpc.aio.AioRpcError(
        status.code,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(*status.trailing_metadata),
        details=status.details,
    )


async def test_a_stage_that_works_is_timed_and_not_skipped() -> None:
    async def work() -> int:
        await asyncio.sleep(0.02)
        return 7

    stages = StageLog()
    assert await stages.run(STAGE, work(), 1.0) == 7
    assert not stages.skipped
    (timing,) = stages.timings
    assert timing.stage == STAGE
    assert 0.015 < timing.elapsed.ToTimedelta().total_seconds() < 0.5


async def test_a_stage_over_its_budget_is_cancelled_and_flagged() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    stages = StageLog()
    start = time.monotonic()
    assert await stages.run(STAGE, work(), 0.05, instead="nothing") is None
    assert time.monotonic() - start < 1
    assert cancelled.is_set()
    (skipped,) = stages.skipped
    assert skipped.cause == stage_pb2.SKIP_CAUSE_TIMEOUT
    assert skipped.detail == "took longer than 50 ms; nothing"
    assert len(stages.timings) == 1


@pytest.mark.parametrize(
    ("error", "cause", "degrading"),
    [
        (NoInput("no history"), "NO_INPUT", False),
        (TimeoutError(), "TIMEOUT", True),
        (DeadlineExceeded(), "TIMEOUT", True),
        (DependencyUnavailable("milvus", "down"), "UNAVAILABLE", True),
        (StorageUnavailable("locked"), "UNAVAILABLE", True),
        (Overloaded(0.1), "OVERLOADED", True),
        (VersionMismatch("r1"), "VERSION_MISMATCH", True),
        (ZeroDivisionError("secret"), "INTERNAL", True),
        (rpc_error(DeadlineExceeded()), "TIMEOUT", True),
        (rpc_error(DependencyUnavailable("milvus", "down")), "UNAVAILABLE", True),
        (rpc_error(Overloaded(0.1)), "OVERLOADED", True),
        (rpc_error(VersionMismatch("r1")), "VERSION_MISMATCH", True),
        (rpc_error(InvalidField("text", "too long")), "INTERNAL", True),
    ],
)
async def test_every_failure_has_its_cause(error: Exception, cause: str, degrading: bool) -> None:
    stages = StageLog()
    assert await stages.run(STAGE, failing(error), 1.0) is None
    (skipped,) = stages.skipped
    assert SkipCause.Name(skipped.cause) == f"SKIP_CAUSE_{cause}"
    assert stages.degraded == degrading
    assert "secret" not in skipped.detail


async def test_a_fault_of_ours_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        await StageLog().run(STAGE, failing(ZeroDivisionError("boom")), 1.0)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert Stage.Name(STAGE) in record.getMessage()


async def test_the_callers_fault_and_cancellation_pass() -> None:
    stages = StageLog()
    with pytest.raises(InvalidField):
        await stages.run(STAGE, failing(InvalidField("filter", "unknown")), 1.0)

    async def forever() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(stages.run(STAGE, forever(), 60.0))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not stages.skipped


async def test_parallel_stages_are_recorded_each() -> None:
    stages = StageLog()
    await asyncio.gather(
        stages.run(stage_pb2.STAGE_SOURCE_CF, failing(NoInput("no history")), 1.0),
        stages.run(stage_pb2.STAGE_SOURCE_POPULAR, asyncio.sleep(0.01), 1.0),
    )
    assert [skipped.stage for skipped in stages.skipped] == [stage_pb2.STAGE_SOURCE_CF]
    assert len(stages.timings) == 2


def test_a_deadline_counts_down_and_never_below_zero() -> None:
    deadline = Deadline(0.05)
    assert 0.0 < deadline.remaining() <= 0.05
    assert deadline.share(0.5, keep_s=0.01) <= 0.02
    assert deadline.share(1.0, keep_s=10) == 0.0
    time.sleep(0.06)
    assert deadline.remaining() == 0.0
