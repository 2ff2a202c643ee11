"""Recommend end to end: latency against the sum of its parts, capacity, and what overload does.

    .venv/bin/python -m benchmarks.e2e --release var/demo/release

Starts a stack of its own, with the release's data set. First its parts in one process without gRPC
and Triton (benchmarks.e2e_in_process), one request at a time and several; then the stack: one
caller, several callers that do not wait for each other, and open-loop arrivals at parts and
multiples of its capacity (`tandem load`, whose sender shares the cores). Users are those of the
data set, in random order.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import uvloop

from benchmarks.e2e_waterfall import draw
from benchmarks.environment import RESULTS, describe, write_result
from benchmarks.language import require_language
from benchmarks.stack import BenchStack, started_stack
from features.release import open_release
from tandem_cli.dataset_spec import cleaning_of
from tandem_cli.encoders import ENCODERS, encoder_of
from tandem_cli.load.run import Load, load_test
from tandem_cli.load.schedule import Step
from tandem_cli.load.sender import stages_of
from tandem_client import AsyncTandemClient
from tests.support.milvus import running_milvus_server
from training.datasets.source import open_dataset

CALLERS = (2, 4, 8)
# Of the capacity.
HALF, TWICE = 0.5, 2.0
LADDER = (0.75, 1.0, 1.5, TWICE)


def in_process(
    stack: BenchStack, release: Path, encoder: Path, users: Sequence[str], callers: Sequence[int]
) -> dict[str, Any]:
    """Return what the parts take in one process, and the rate of several callers."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(users, file)
        file.flush()
        options = {
            "users": file.name,
            "state": stack.state,
            "release": release,
            "encoder": encoder,
            "milvus": stack.milvus,
        }
        command = [sys.executable, "-m", "benchmarks.e2e_in_process"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        command += ["--callers", *map(str, callers)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


async def closed_loop(
    target: str, users: Sequence[str], callers: int
) -> tuple[list[float], float, list[dict[str, float]], int]:
    """Return milliseconds and stages of each answer, all seconds, and how many were degraded.

    A refused caller goes on with the next user.
    """
    waiting = list(users)
    taken: list[float] = []
    stages: list[dict[str, float]] = []
    degraded = 0
    async with AsyncTandemClient(target) as client:

        async def call_on() -> None:
            nonlocal degraded
            while waiting:
                user = waiting.pop()
                start = time.perf_counter()
                try:
                    answer = await client.recommend(user, item_count=10, timeout_s=10.0)
                except grpc.aio.AioRpcError as error:
                    if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
                        raise
                    continue
                taken.append((time.perf_counter() - start) * 1e3)
                stages.append(stages_of(answer))
                degraded += answer.degraded

        start = time.perf_counter()
        await asyncio.gather(*(call_on() for _ in range(callers)))
        return taken, time.perf_counter() - start, stages, degraded


def served(target: str, users: Sequence[str]) -> dict[str, Any]:
    """Return what one caller waits for, and the rate of several."""
    uvloop.run(closed_loop(target, users[: max(len(users) // 10, 5)], 2))
    taken, _, stages, degraded = uvloop.run(closed_loop(target, users, 1))
    names = dict.fromkeys(name for own in stages for name in own)
    found: dict[str, Any] = {
        "p50_ms": float(np.median(taken)),
        "p99_ms": float(np.percentile(taken, 99)),
        "degraded": degraded,
        "stage_medians_ms": {
            name: float(np.median([own[name] for own in stages if name in own])) for name in names
        },
        "requests_per_s": {},
    }
    for callers in CALLERS:
        taken, seconds, _, degraded = uvloop.run(closed_loop(target, users, callers))
        found["requests_per_s"][str(callers)] = (len(taken) - degraded) / seconds
    return found


def open_loop(
    target: str, users: Sequence[str], capacity: float, seconds: float, half_seconds: float
) -> list[dict[str, Any]]:
    """Return the reports of open-loop steps, the one at half of the capacity first."""
    steps = [
        Step(HALF * capacity, 3.0, counted=False),
        Step(HALF * capacity, half_seconds),
        *(Step(part * capacity, seconds) for part in LADDER),
    ]
    found: list[dict[str, Any]] = uvloop.run(load_test(target, Load(steps, users)))["steps"]
    return found


def ratios(
    parts: dict[str, Any], stack: dict[str, Any], steps: list[dict[str, Any]]
) -> dict[str, float | None]:
    """Return the figures by which the path is judged."""
    capacity = max(stack["requests_per_s"].values())
    half, twice = steps[0], steps[-1]
    peak = max(step["goodput_per_s"] for step in steps)
    p99 = half["latency_ms"]["p99"]
    return {
        "p50_of_parts": stack["p50_ms"] / parts["both_ms"],
        "capacity_of_parts": capacity / max(parts["requests_per_s"].values()),
        "p99_of_p50_at_half": p99 / half["latency_ms"]["p50"] if p99 else None,
        "goodput_of_peak_at_twice": twice["goodput_per_s"] / peak,
        "goodput_of_capacity_at_twice": twice["goodput_per_s"] / capacity,
        "refusal_p50_ms_at_twice": twice["not_answered_ms"]["p50"],
    }


@contextmanager
def milvus_of(kind: str) -> Iterator[str]:
    """Run a Milvus server where one is asked for; give its URI, "" for a stack that starts Lite."""
    if kind == "lite":
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder, running_milvus_server(Path(folder)) as uri:
        yield uri


def main() -> None:
    """Measure, print, draw and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--release", type=Path, default=Path("var/demo/release"))
    parser.add_argument(
        "--milvus", choices=("lite", "server"), default="lite", help="Lite, or Milvus 2.3.5"
    )
    parser.add_argument("--requests", type=int, default=150, help="of each closed loop")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each open-loop step")
    parser.add_argument("--half-seconds", type=float, default=60.0, help="of the one at half")
    arguments = parser.parse_args()

    release = open_release(arguments.release, verify=False)
    require_language(release)
    entry = release.manifest["dataset"]
    cleaning = cleaning_of(entry.get("clean", []))
    known = open_dataset(entry["spec"], rejects=None, cleaning=cleaning).users.user_id
    random = np.random.default_rng(0)
    users = [str(user) for user in random.choice(np.array(known, dtype=str), arguments.requests)]
    with milvus_of(arguments.milvus) as milvus, started_stack(arguments.release, milvus) as stack:
        encoder = encoder_of(release, ENCODERS)
        before = in_process(stack, arguments.release, encoder, users, CALLERS)
        whole = served(stack.target, users)
        after = in_process(stack, arguments.release, encoder, users, ())
        # The quicker of both counts, so that nothing else on the machine makes the stack look good.
        parts = min((before, after), key=lambda found: found["both_ms"])
        parts["requests_per_s"] = before["requests_per_s"]
        print(f"in process: {before['both_ms']:.1f} and {after['both_ms']:.1f} ms; {parts}")
        print(f"served: {whole}")
        capacity = max(whole["requests_per_s"].values())
        steps = open_loop(stack.target, users, capacity, arguments.seconds, arguments.half_seconds)
    for step in steps:
        print(
            f"{step['rate_per_s']:6.1f}/s offered: goodput {step['goodput_per_s']:6.1f}/s, "
            f"latency {step['latency_ms']}, not answered {step['not_answered']} after "
            f"{step['not_answered_ms']['p50']} ms, degraded {step['degraded_share']}"
        )
    judged = ratios(parts, whole, steps)
    for kind, ratio in judged.items():
        print(f"{kind:26} {ratio}")
    name = "e2e" if arguments.milvus == "lite" else "e2e-milvus-server"
    figure = draw(whole, parts, RESULTS / f"{name}-waterfall.png")
    write_result(
        name,
        {
            "environment": describe(),
            "settings": {
                "requests": len(users),
                "dataset": {key: entry[key] for key in ("name", "items", "users", "interactions")},
                "candidates": release.candidate_count,
                "milvus": arguments.milvus,
                "step_seconds": arguments.seconds,
                "half_seconds": arguments.half_seconds,
                "deadline_s": Load(()).timeout_s,
            },
            "ratios": judged,
            "in_process": parts,
            "served": whole,
            "open_loop": steps,
            "picture": figure.name,
        },
    )


if __name__ == "__main__":
    main()
