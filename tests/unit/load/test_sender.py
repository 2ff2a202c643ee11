import asyncio
import time

import grpc
import numpy as np
import pytest

from serving.errors import Overloaded, status_of
from tandem.v1 import stage_pb2
from tandem.v1.candidate_pb2 import RankedItem
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.stage_pb2 import StageTiming
from tandem_cli.load.sender import OK, send
from tandem_cli.load.users import drawn

ANSWER = RecommendResponse(items=[RankedItem(item_id="1")])
FIRST_STEP = np.zeros(3, np.int64)


def of_error(error):
    status = status_of(error)
    trailing = grpc.aio.Metadata(*status.trailing_metadata)
    return grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), trailing, status.details)


async def test_nobody_waits_for_the_answers_of_others():
    running, most = 0, 0

    async def slow(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.3)
        running -= 1
        return ANSWER

    outcomes = await send(slow, np.array([0.0, 0.01, 0.02]), FIRST_STEP)
    assert most == 3
    assert all(outcome.full and outcome.status == OK for outcome in outcomes)


async def test_a_stall_of_the_sender_is_part_of_the_times_of_all_that_it_held_up():
    async def stalls_first(number):
        if number == 0:
            # As a garbage collection would: nothing in this process goes on meanwhile.
            time.sleep(0.3)  # noqa: ASYNC251
        return ANSWER

    outcomes = await send(stalls_first, np.array([0.0, 0.05, 0.1]), FIRST_STEP)
    least = np.array([0.3, 0.25, 0.2])
    assert (np.array([outcome.taken_s for outcome in outcomes]) >= least - 0.001).all()
    assert outcomes[2].late_s >= 0.19


async def test_refusals_and_degraded_answers_are_told_apart():
    timing = StageTiming(stage=stage_pb2.STAGE_RANK)
    timing.elapsed.FromMilliseconds(7)
    degraded = RecommendResponse(items=ANSWER.items, degraded=True, stage_timings=[timing])
    answers = [ANSWER, degraded, of_error(Overloaded(0.5))]

    async def call(number):
        answer = answers[number]
        if isinstance(answer, Exception):
            raise answer
        return answer

    full, flagged, refused = await send(call, np.array([0.0, 0.0, 0.0]), FIRST_STEP)
    assert full.full
    assert flagged.status == OK
    assert not flagged.full
    assert flagged.stages_ms == {"rank": 7.0}
    assert refused.status == "RESOURCE_EXHAUSTED"
    assert refused.hinted


def test_users_are_drawn_anew_for_each_request_and_strangers_are_new_every_time():
    users = drawn(["a", "b"], 4000, 0.25, np.random.default_rng(0))
    strangers = [user for user in users if user.startswith("stranger-")]
    assert len(strangers) == pytest.approx(1000, rel=0.1)
    assert len(set(strangers)) == len(strangers)
    assert users.count("a") == pytest.approx(1500, rel=0.1)
