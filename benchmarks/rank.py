"""Rank of 200 candidates through the service against the bare forward pass of the same model.

    .venv/bin/python -m benchmarks.rank --release var/demo/release

Both score the same packed request: 50 events of history and `--candidates` candidates, items of the
release drawn at random. The bare forward runs in this process while the service is idle; then the
service, in a process of its own, is called one request at a time. Rounds alternate, and medians
over all calls are compared.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import torch

from benchmarks.environment import describe, write_result
from models.ranker.packed_user import collate
from models.ranker.precision import mixed_precision
from ranking_service.item_features import rank_input
from ranking_service.loaded_release import LoadedRelease, read_release
from tandem.v1 import (
    info_service_pb2,
    info_service_pb2_grpc,
    ranking_service_pb2_grpc,
    release_service_pb2_grpc,
)
from tandem.v1.candidate_pb2 import Candidate, Hit, Source
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Action, HistoryEvent
from tandem.v1.info_service_pb2 import GetInfoRequest
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.release_service_pb2 import LoadReleaseRequest
from tandem.v1.user_pb2 import UserState
from tandem_cli.stack.ports import free_ports
from tandem_client.channel import open_channel

EVENTS = 50
NOW_S = 1_700_000_000
HOUR_S = 3_600


def request_of(loaded: LoadedRelease, candidates: int, seed: int) -> RankRequest:
    """Return a request about items of the release, drawn at random."""
    random = np.random.default_rng(seed)
    ids = loaded.tables.items.item_ids
    history = []
    for step, row in enumerate(random.integers(0, len(ids), EVENTS)):
        event = HistoryEvent(item_id=ids[row], action=Action.ACTION_VIEW)
        event.event_time.FromSeconds(NOW_S - (EVENTS - step) * HOUR_S)
        history.append(event)
    context = RequestContext()
    context.request_time.FromSeconds(NOW_S)
    drawn = random.choice(len(ids), size=min(candidates, len(ids)), replace=False)
    return RankRequest(
        release_id=loaded.release.release_id,
        user=UserState(user_id="bench", history=history),
        context=context,
        candidates=[
            Candidate(item_id=ids[row], hits=[Hit(source=Source.SOURCE_CF, score=1.0, rank=rank)])
            for rank, row in enumerate(drawn, start=1)
        ],
        item_count=10,
    )


@contextmanager
def ranking_service(release: Path) -> Iterator[grpc.Channel]:
    """Run the service in a process of its own, with the release loaded."""
    (port,) = free_ports(1)
    environment = os.environ | {
        "TANDEM_RANKING_PORT": str(port),
        "TANDEM_RANKING_LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen([sys.executable, "-m", "ranking_service"], env=environment)
    channel = open_channel(f"127.0.0.1:{port}")
    try:
        grpc.channel_ready_future(channel).result(timeout=60)
        loader = release_service_pb2_grpc.ReleaseLoaderServiceStub(channel)
        loader.LoadRelease(LoadReleaseRequest(release_uri=str(release.resolve())))
        info = info_service_pb2_grpc.InfoServiceStub(channel)
        while (
            info.GetInfo(GetInfoRequest()).releases[0].state
            == info_service_pb2.RELEASE_STATE_LOADING
        ):
            time.sleep(0.2)
        yield channel
    finally:
        channel.close()
        process.terminate()
        process.wait()


def forward_ms(loaded: LoadedRelease, request: RankRequest, calls: int) -> list[float]:
    """Return the times of the bare forward pass, in milliseconds."""
    packed = rank_input(loaded, request).packed
    batch = collate(loaded.ranker.config, [packed])
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        with torch.inference_mode(), mixed_precision():
            loaded.ranker(batch)
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


def rpc_ms(channel: grpc.Channel, request: RankRequest, calls: int) -> list[float]:
    """Return the times of calls of the service, in milliseconds."""
    stub = ranking_service_pb2_grpc.RankingServiceStub(channel)
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        stub.Rank(request)
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--release", type=Path, default=Path("var/demo/release"))
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=20, help="calls in each round")
    arguments = parser.parse_args()

    loaded = read_release(str(arguments.release))
    request = request_of(loaded, arguments.candidates, seed=0)
    bare: list[float] = []
    service: list[float] = []
    with ranking_service(arguments.release) as channel:
        forward_ms(loaded, request, 3)
        rpc_ms(channel, request, 3)
        for _ in range(arguments.rounds):
            bare += forward_ms(loaded, request, arguments.calls)
            service += rpc_ms(channel, request, arguments.calls)
    ratio = float(np.median(service) / np.median(bare))
    count = len(request.candidates)
    print(f"{count} candidates, {EVENTS} events, {len(bare)} calls each")
    for name, taken in (("bare forward", bare), ("Rank", service)):
        p50, p99 = np.percentile(taken, [50, 99])
        print(
            f"{name:14} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   {count / p50 * 1e3:9,.0f} items/s"
        )
    print(f"Rank takes {ratio:.2f} times the bare forward")
    write_result(
        "rank",
        {
            "environment": describe(),
            "settings": {"candidates": count, "events": EVENTS, "calls": len(bare)},
            "bare_forward_ms": {
                "p50": float(np.median(bare)),
                "p99": float(np.percentile(bare, 99)),
            },
            "rank_ms": {"p50": float(np.median(service)), "p99": float(np.percentile(service, 99))},
            "ratio_p50": ratio,
        },
    )


if __name__ == "__main__":
    main()
