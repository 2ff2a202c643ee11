"""Recommend end to end: latency, where it goes, and throughput, through a whole stack.

    .venv/bin/python -m benchmarks.recommend --release var/demo/release

Starts a stack of its own on free ports with the release's data set, unless `--target` names a
running gateway. First one caller at a time, for latency and its parts; then callers that do not
wait for each other, for throughput. Users are those of the data set, in random order.
"""

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.environment import describe, write_result
from benchmarks.stack import running_stack
from features.release import open_release
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.stage_pb2 import Stage
from tandem_cli.dataset_spec import cleaning_of
from tandem_client import AsyncTandemClient
from training.datasets.source import open_dataset


async def latencies(
    target: str, users: Sequence[str], callers: int
) -> tuple[list[float], float, list[RecommendResponse]]:
    """Return each call's time in ms, the seconds of all, and the answers."""
    waiting = list(users)
    taken: list[float] = []
    answers: list[RecommendResponse] = []
    async with AsyncTandemClient(target) as client:

        async def call_on() -> None:
            while waiting:
                user = waiting.pop()
                start = time.perf_counter()
                answers.append(await client.recommend(user, item_count=10, timeout_s=10.0))
                taken.append((time.perf_counter() - start) * 1e3)

        start = time.perf_counter()
        await asyncio.gather(*(call_on() for _ in range(callers)))
        return taken, time.perf_counter() - start, answers


def stage_medians(answers: Sequence[RecommendResponse]) -> dict[str, float]:
    """Return the median time of each stage in ms."""
    times: dict[str, list[float]] = defaultdict(list)
    for answer in answers:
        for timing in answer.stage_timings:
            name = Stage.Name(timing.stage).removeprefix("STAGE_").lower()
            times[name].append(timing.elapsed.ToMicroseconds() / 1e3)
    return {name: float(np.median(values)) for name, values in times.items()}


def measure(target: str, users: Sequence[str], callers: Sequence[int]) -> dict[str, object]:
    """Measure, print and return the figures."""
    asyncio.run(latencies(target, users[:20], 2))
    result: dict[str, object] = {}
    for count in callers:
        taken, seconds, answers = asyncio.run(latencies(target, users, count))
        p50, p95, p99 = (float(p) for p in np.percentile(taken, [50, 95, 99]))
        degraded = sum(answer.degraded for answer in answers) / len(answers)
        rate = len(taken) / seconds
        print(
            f"{count:3} callers: p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  p99 {p99:6.1f} ms  "
            f"{rate:6.1f} requests/s  {degraded:.1%} degraded"
        )
        stages = stage_medians(answers)
        if count == 1:
            for name, median in sorted(stages.items(), key=lambda pair: -pair[1]):
                print(f"    {name:16} {median:7.2f} ms")
        result[f"callers_{count}"] = {
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
            "requests_per_s": rate,
            "degraded_share": degraded,
            "stage_medians_ms": stages,
        }
    return result


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--release", type=Path, default=Path("var/demo/release"))
    parser.add_argument("--target", default="", help="gateway of a running stack")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, 16])
    arguments = parser.parse_args()

    manifest = open_release(arguments.release, verify=False).manifest
    entry = manifest["dataset"]
    cleaning = cleaning_of(entry.get("clean", []))
    known = open_dataset(entry["spec"], rejects=None, cleaning=cleaning).users.user_id
    drawn = np.random.default_rng(0).choice(np.array(known, dtype=str), arguments.requests)
    users = [str(user) for user in drawn]
    if arguments.target:
        figures = measure(arguments.target, users, arguments.callers)
    else:
        with running_stack(arguments.release) as target:
            figures = measure(target, users, arguments.callers)
    dataset = {key: manifest["dataset"][key] for key in ("name", "items", "users", "interactions")}
    write_result(
        "recommend",
        {
            "environment": describe(),
            "settings": {"requests": len(users), "dataset": dataset},
            "figures": figures,
        },
    )


if __name__ == "__main__":
    main()
