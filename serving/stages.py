"""The stages of one request: each has a budget, and one that fails is skipped and flagged."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Self, TypeVar

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration

from serving.errors import (
    DeadlineExceeded,
    DependencyUnavailable,
    InvalidField,
    Overloaded,
    StorageUnavailable,
    VersionMismatch,
)
from tandem.v1 import error_reason_pb2, stage_pb2
from tandem.v1.stage_pb2 import SkipCause, SkippedStage, Stage, StageTiming
from tandem_client.errors import reason_of

T = TypeVar("T")
logger = logging.getLogger(__name__)

NOT_DEGRADING = (stage_pb2.SKIP_CAUSE_NO_INPUT, stage_pb2.SKIP_CAUSE_DISABLED)
DEFAULT_DEADLINE_S = 2.0
# gRPC reports a call without a deadline as one that is decades away.
_NO_DEADLINE_S = 10 * 365 * 86_400.0


class NoInput(Exception):
    """A stage has nothing to work with, such as no history. Its text says what is missing."""


class Deadline:
    """The moment until which a request is worked on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @classmethod
    def of(cls, context: grpc.ServicerContext, default_s: float = DEFAULT_DEADLINE_S) -> Self:
        """Return the caller's deadline, or one in `default_s` seconds where the caller set none."""
        # The type stubs promise a number, but without a deadline there is none.
        remaining: float | None = context.time_remaining()
        if remaining is None or remaining > _NO_DEADLINE_S:
            return cls(default_s)
        return cls(remaining)

    def remaining(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def share(self, part: float, *, keep_s: float = 0.0) -> float:
        """Return a part of the seconds left, after `keep_s` are laid aside for the answer."""
        return max(0.0, self.remaining() - keep_s) * part


class StageLog:
    """What each stage of one request took, and which were skipped."""

    def __init__(self) -> None:
        self.skipped: list[SkippedStage] = []
        self.timings: list[StageTiming] = []

    async def run(
        self,
        stage: Stage.ValueType,
        work: Awaitable[T],
        budget_s: float,
        *,
        instead: str = "",
    ) -> T | None:
        """Await a stage's work for at most `budget_s` seconds; return None if it was skipped.

        `instead` says for people what is served in its place. InvalidField and cancellation pass.
        """
        start = time.monotonic()
        try:
            async with asyncio.timeout(budget_s):
                return await work
        except InvalidField:
            raise
        except Exception as error:
            cause, detail = _cause_of(error, budget_s)
            if cause == stage_pb2.SKIP_CAUSE_INTERNAL:
                logger.exception("stage %s failed", Stage.Name(stage))
            self.skip(stage, cause, "; ".join(part for part in (detail, instead) if part))
            return None
        finally:
            self.time(stage, time.monotonic() - start)

    def skip(self, stage: Stage.ValueType, cause: SkipCause.ValueType, detail: str = "") -> None:
        """Record that a stage did not contribute. The detail holds no user data."""
        self.skipped.append(SkippedStage(stage=stage, cause=cause, detail=detail))

    def time(self, stage: Stage.ValueType, elapsed_s: float) -> None:
        """Record a stage's wall time in seconds."""
        elapsed = Duration(seconds=int(elapsed_s), nanos=int(elapsed_s % 1 * 1e9))
        self.timings.append(StageTiming(stage=stage, elapsed=elapsed))

    @property
    def degraded(self) -> bool:
        """Whether a stage was skipped for another cause than NO_INPUT or DISABLED."""
        return any(skipped.cause not in NOT_DEGRADING for skipped in self.skipped)


def _cause_of(error: Exception, budget_s: float) -> tuple[SkipCause.ValueType, str]:
    """Return why a stage failed, and a detail for people."""
    match error:
        case NoInput():
            return stage_pb2.SKIP_CAUSE_NO_INPUT, str(error)
        case TimeoutError() | DeadlineExceeded():
            return stage_pb2.SKIP_CAUSE_TIMEOUT, f"took longer than {budget_s * 1000:.0f} ms"
        case DependencyUnavailable() | StorageUnavailable():
            return stage_pb2.SKIP_CAUSE_UNAVAILABLE, str(error)
        case Overloaded():
            return stage_pb2.SKIP_CAUSE_OVERLOADED, str(error)
        case VersionMismatch():
            return stage_pb2.SKIP_CAUSE_VERSION_MISMATCH, str(error)
        case grpc.aio.AioRpcError():
            return _cause_of_status(error, budget_s)
        case _:
            return stage_pb2.SKIP_CAUSE_INTERNAL, "internal error"


def _cause_of_status(
    error: grpc.aio.AioRpcError, budget_s: float
) -> tuple[SkipCause.ValueType, str]:
    code, detail = error.code(), (error.details() or "")[:200]
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return stage_pb2.SKIP_CAUSE_TIMEOUT, f"took longer than {budget_s * 1000:.0f} ms"
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return stage_pb2.SKIP_CAUSE_OVERLOADED, detail
    if reason_of(error)[0] == error_reason_pb2.ERROR_REASON_VERSION_MISMATCH:
        return stage_pb2.SKIP_CAUSE_VERSION_MISMATCH, detail
    if code == grpc.StatusCode.INVALID_ARGUMENT:
        # The caller's input was checked before, so it is we who sent nonsense.
        logger.error("a call to another part was refused: %s", detail)
        return stage_pb2.SKIP_CAUSE_INTERNAL, "internal error"
    return stage_pb2.SKIP_CAUSE_UNAVAILABLE, detail
