"""What Rank costs: the whole call through gRPC beside the bare forward pass of the same arrays.

    .venv/bin/python -m benchmarks.rank --release var/demo/release

Three are timed on the same requests, each of another made-up user, in turns, so that a change of
the machine's mood meets all: the bare forward as torch runs the trained weights, the bare forward
of the engine that the service runs, and Rank. Then callers side by side, what single stages cost,
and, with `--peers` and `--texts`, a cross-encoder that reads the same items as pairs of texts.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import torch

from benchmarks.environment import describe, write_result
from benchmarks.language import require_language
from benchmarks.rank_peers import compared
from benchmarks.rank_requests import SHOWN, ranking_service, request_of
from models.ranker.flat_batch import flat_batch
from models.ranker.packed_user import collate
from models.ranker.precision import mixed_precision
from ranking_service.engine import device_of
from ranking_service.item_features import rank_input
from ranking_service.loaded_release import LoadedRelease, read_release
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.ranking_service_pb2_grpc import RankingServiceStub
from tandem.v1.stage_pb2 import Stage

CANDIDATES = (10, 50, 200, 1000)
EVENTS = (10, 50, 200)
CALLERS = (1, 4, 16)
USERS = 16
Run = Callable[[int], object]


def timed(run: Run, numbers: Sequence[int]) -> list[float]:
    """Return what each call took, in milliseconds."""
    taken = []
    for number in numbers:
        start = time.perf_counter()
        run(number)
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


def bare(loaded: LoadedRelease, requests: Sequence[RankRequest]) -> dict[str, Run]:
    """Return the forward passes of the requests' arrays, by torch and by the engine."""
    config = loaded.ranker.config
    packed = [rank_input(loaded, request).packed for request in requests]
    padded = [collate(config, [user]) for user in packed]
    flat = [flat_batch(config, [user], rounded=loaded.engine.by_shape) for user in packed]

    def by_torch(number: int) -> object:
        torch.set_num_threads(os.cpu_count() or 1)
        with torch.inference_mode(), mixed_precision():
            return loaded.ranker(padded[number])

    def by_engine(number: int) -> object:
        torch.set_num_threads(1)  # as in the service: the engine has its own, the head is small
        with torch.inference_mode():
            features = torch.from_numpy(flat[number].candidate_features_CF)
            features = loaded.ranker.standardised(features)
            states = loaded.engine.states(flat[number], features)
            of_words = torch.from_numpy(flat[number].new_C), torch.from_numpy(flat[number].obeyed_C)
            new = loaded.ranker.features_of(*of_words)
            return loaded.ranker.head(states, features, of_words[0], new)

    return {"torch_ms": by_torch, "engine_ms": by_engine}


def caller(stub: RankingServiceStub, requests: Sequence[RankRequest]) -> Run:
    """Return what sends the requests by number."""
    return lambda number: stub.Rank(requests[number])


def spread(taken: Sequence[float], items: int) -> dict[str, float]:
    """Return percentiles in milliseconds, and items per second at the median."""
    p50, p99 = (float(value) for value in np.percentile(taken, [50, 99]))
    return {"p50": p50, "p99": p99, "items_per_s": 1e3 * items / p50}


def measure_sizes(
    loaded: LoadedRelease, channel: grpc.Channel, rounds: int, calls: int
) -> Iterator[dict[str, Any]]:
    """Give the times of every number of candidates and events."""
    stub = RankingServiceStub(channel)
    for events in EVENTS:
        for count in CANDIDATES:
            requests = [request_of(loaded, count, events, seed) for seed in range(USERS)]
            runs = {**bare(loaded, requests), "rank_ms": caller(stub, requests)}
            taken: dict[str, list[float]] = {name: [] for name in runs}
            for run in runs.values():
                timed(run, range(3))
            for turn in range(rounds):
                numbers = [(turn * calls + call) % USERS for call in range(calls)]
                for name, run in runs.items():
                    taken[name] += timed(run, numbers)
            times = {name: spread(each, count) for name, each in taken.items()}
            rank = times["rank_ms"]["p50"]
            yield {
                "candidates": count,
                "events": events,
                **times,
                "over_torch": rank / times["torch_ms"]["p50"],
                "over_engine": rank / times["engine_ms"]["p50"],
            }


def measure_callers(
    channel: grpc.Channel, requests: Sequence[RankRequest], calls: int
) -> Iterator[dict[str, Any]]:
    """Give throughput and latency of callers that each send one request after the other."""
    stub = RankingServiceStub(channel)
    for callers in CALLERS:

        def call(caller: int, own: int = max(calls // callers, 8)) -> list[float]:
            numbers = [(caller * own + step) % len(requests) for step in range(own)]
            return timed(lambda n: stub.Rank(requests[n]), numbers)

        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(call, range(callers)))
            start = time.perf_counter()
            taken = [each for own in pool.map(call, range(callers)) for each in own]
        per_s = len(taken) / (time.perf_counter() - start)
        items = len(requests[0].candidates)
        yield {
            "callers": callers,
            "requests_per_s": per_s,
            "items_per_s": per_s * items,
            "p50": float(np.median(taken)),
            "p99": float(np.percentile(taken, 99)),
        }


def measure_stages(
    channel: grpc.Channel, requests: Sequence[RankRequest], calls: int
) -> dict[str, float]:
    """Return the median of the whole call and of every stage, in milliseconds."""
    stub = RankingServiceStub(channel)
    taken: dict[str, list[float]] = {}
    for call in range(calls + 3):
        start = time.perf_counter()
        answer = stub.Rank(requests[call % len(requests)])
        whole = (time.perf_counter() - start) * 1e3
        for timing in answer.stage_timings:
            name = Stage.Name(timing.stage).removeprefix("STAGE_").lower()
            taken.setdefault(name, []).append(timing.elapsed.ToMicroseconds() / 1e3)
        taken.setdefault("call", []).append(whole)
    return {name: float(np.median(each[3:])) for name, each in taken.items()}


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--release", type=Path, default=Path("var/demo/release"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=20, help="calls in each round")
    parser.add_argument("--only", nargs="*", default=["sizes", "callers", "stages"])
    parser.add_argument("--texts", type=Path, help="the release's data set, for its items' texts")
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers/bin/python"))
    parser.add_argument("--seconds", type=float, default=20.0, help="for each setting of a peer")
    arguments = parser.parse_args()

    loaded = read_release(str(arguments.release), device=device_of("auto"))
    require_language(loaded.release)
    result: dict[str, Any] = {
        "environment": describe(),
        "settings": {
            "items": len(loaded.tables.items),
            "calls": arguments.rounds * arguments.calls,
            "shown": SHOWN,
            "engine": type(loaded.engine).__name__,
        },
    }
    if "sizes" in arguments.only:
        with ranking_service(arguments.release) as channel:
            found = measure_sizes(loaded, channel, arguments.rounds, arguments.calls)
            result["sizes"] = [told("sizes", each) for each in found]
    if "callers" in arguments.only:
        for tokens in (1, 512):
            with ranking_service(arguments.release, batch_tokens=tokens) as channel:
                for count in (10, 200):
                    requests = [request_of(loaded, count, 50, seed) for seed in range(USERS)]
                    for each in measure_callers(channel, requests, arguments.calls * 5):
                        row = {"batch_tokens": tokens, "candidates": count, **each}
                        result.setdefault("callers", []).append(told("callers", row))
    if "stages" in arguments.only:
        for tried in (0, 4):
            with ranking_service(arguments.release, influences=tried) as channel:
                for events in (0, *EVENTS):  # 0: a newcomer
                    requests = [request_of(loaded, 200, events, s, SHOWN) for s in range(USERS)]
                    row = {"influences": tried, "candidates": 200, "events": events}
                    row |= measure_stages(channel, requests, arguments.calls * 2)
                    result.setdefault("stages", []).append(told("stages", row))
    if arguments.texts:
        result["cross_encoder"] = compared(
            arguments.release,
            loaded,
            arguments.texts,
            arguments.peers,
            arguments.calls,
            arguments.seconds,
        )
    write_result("rank", result)


def told(section: str, row: dict[str, Any]) -> dict[str, Any]:
    """Print a row and return it."""
    parts = []
    for name, value in row.items():
        if isinstance(value, dict):
            parts.append(f"{name} {value['p50']:.2f}/{value['p99']:.2f}")
        else:
            parts.append(f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}")
    print(f"{section}: {'  '.join(parts)}", flush=True)
    return row
