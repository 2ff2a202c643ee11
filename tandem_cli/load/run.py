"""One load test, from the users to the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem_cli.load.report import report
from tandem_cli.load.schedule import Step, arrivals
from tandem_cli.load.sender import send
from tandem_cli.load.users import drawn, users_of_stack
from tandem_client import AsyncTandemClient


@dataclass(frozen=True)
class Load:
    """What is sent.

    users: whom it is drawn from; empty: those that the stack knows. unknown_share: of requests from
    users that nobody knows. texts: words of requests, in turn; empty: none. item_count: of a list.
    timeout_s: deadline of a call. within_s: how soon after its intended time an answer is good.
    """

    steps: Sequence[Step]
    users: Sequence[str] = ()
    unknown_share: float = 0.0
    texts: Sequence[str] = ()
    item_count: int = 10
    timeout_s: float = 2.0
    within_s: float = 2.0
    seed: int = 0


async def load_test(target: str, load: Load) -> dict[str, Any]:
    """Run a load test on the gateway at `host:port`; return settings and the report of each step.

    Raises grpc.aio.AioRpcError where the gateway does not answer before the test begins.
    """
    random = np.random.default_rng(load.seed)
    times_s, places = arrivals(load.steps, random)
    async with AsyncTandemClient(target) as client:
        info = await client.get_info(timeout_s=load.timeout_s)
        known = load.users
        if not known and load.unknown_share < 1:
            known = await users_of_stack(client)
        users = drawn(known, len(times_s), load.unknown_share, random)

        async def call(number: int) -> RecommendResponse:
            text = load.texts[number % len(load.texts)] if load.texts else ""
            return await client.recommend(
                users[number], item_count=load.item_count, text=text, timeout_s=load.timeout_s
            )

        outcomes = await send(call, times_s, places)
    return {
        "release_id": info.current_release_id,
        "users": len(known),
        "settings": {
            "unknown_share": load.unknown_share,
            "texts": len(load.texts),
            "item_count": load.item_count,
            "timeout_s": load.timeout_s,
            "within_s": load.within_s,
            "seed": load.seed,
        },
        "steps": report(load.steps, outcomes, load.within_s),
    }
