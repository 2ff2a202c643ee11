"""Sends requests on schedule, whatever becomes of those before them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import grpc
import grpc.aio

from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.stage_pb2 import Stage
from tandem_cli.load.schedule import Float64, Int64
from tandem_client import retry_after_s

OK = grpc.StatusCode.OK.name
# Before the first arrival, so that even that one can be sent in time.
LEAD_S = 0.1

Call = Callable[[int], Awaitable[RecommendResponse]]


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    step: its step's place. late_s: how long after its intended time it was sent, for want of
    processor time here. taken_s: from its intended time to its end, seconds. status: the name of
    the gRPC status. full: it was answered, not degraded and not empty. hinted: it was refused with
    a time after which to try again. stages_ms: wall time by stage.
    """

    step: int
    late_s: float
    taken_s: float
    status: str
    full: bool = False
    hinted: bool = False
    stages_ms: Mapping[str, float] = field(default_factory=dict)


async def send(call: Call, times_s: Float64, steps: Int64) -> list[Outcome]:
    """Call for each arrival at its time and return what became of each, in that order.

    call(i) sends request i. times_s [n]: seconds from the start, ascending; steps [n]: places of
    steps. A stall anywhere, in here too, delays no arrival's intended time, from which all times
    are measured: nothing is omitted, however long an answer takes.
    """
    loop = asyncio.get_running_loop()
    start = loop.time() + LEAD_S

    async def one(number: int, intended: float, step: int) -> Outcome:
        late_s = loop.time() - intended
        try:
            answer = await call(number)
        except grpc.aio.AioRpcError as error:
            taken_s = loop.time() - intended
            hinted = retry_after_s(error) is not None
            return Outcome(step, late_s, taken_s, error.code().name, hinted=hinted)
        taken_s = loop.time() - intended
        full = bool(answer.items) and not answer.degraded
        return Outcome(step, late_s, taken_s, OK, full, stages_ms=stages_of(answer))

    tasks = []
    for number, (at, step) in enumerate(zip(times_s.tolist(), steps.tolist(), strict=True)):
        if (ahead := start + at - loop.time()) > 0:
            await asyncio.sleep(ahead)
        tasks.append(asyncio.create_task(one(number, start + at, step)))
    return await asyncio.gather(*tasks)


def stages_of(answer: RecommendResponse) -> dict[str, float]:
    """Return an answer's milliseconds by stage."""
    return {
        Stage.Name(timing.stage).removeprefix("STAGE_").lower(): timing.elapsed.ToMicroseconds()
        / 1e3
        for timing in answer.stage_timings
    }
