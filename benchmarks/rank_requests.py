"""Rank requests about items of a release, drawn at random, and a service to send them to."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np

from ranking_service.loaded_release import LoadedRelease
from tandem.v1 import info_service_pb2, info_service_pb2_grpc, release_service_pb2_grpc
from tandem.v1.candidate_pb2 import Candidate, Hit, Source
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Action, HistoryEvent
from tandem.v1.info_service_pb2 import GetInfoRequest
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.release_service_pb2 import LoadReleaseRequest
from tandem.v1.user_pb2 import UserState
from tandem_cli.stack.ports import free_ports
from tandem_client.channel import open_channel

NOW_S = 1_700_000_000
HOUR_S = 3_600
SHOWN = 10
# An item is found by about so many sources in a stack.
HITS = (Source.SOURCE_CF, Source.SOURCE_SEQUENCE, Source.SOURCE_SIMILAR)


def request_of(
    loaded: LoadedRelease, candidates: int, events: int, seed: int, reasons: int = 0
) -> RankRequest:
    """Return a request of a made-up user. Without enough items some are candidates twice.

    reasons: for how many of the SHOWN items influences are wanted.
    """
    random = np.random.default_rng(seed)
    ids = loaded.tables.items.item_ids
    history = []
    for step, row in enumerate(random.integers(0, len(ids), events)):
        event = HistoryEvent(item_id=ids[row], action=Action.ACTION_VIEW)
        event.event_time.FromSeconds(NOW_S - (events - step) * HOUR_S)
        history.append(event)
    context = RequestContext()
    context.request_time.FromSeconds(NOW_S)
    drawn = np.resize(random.permutation(len(ids)), candidates).tolist()
    width = loaded.tables.tower.width
    request = RankRequest(
        release_id=loaded.release.release_id,
        user=UserState(user_id=f"bench-{seed}", history=history),
        context=context,
        candidates=[
            Candidate(
                item_id=ids[row],
                hits=[Hit(source=source, score=1.0, rank=rank) for source in HITS],
            )
            for rank, row in enumerate(drawn, start=1)
        ],
        item_count=SHOWN,
        reason_count=reasons,
    )
    request.user_vector.float32_values = random.normal(size=width).astype("<f4").tobytes()
    return request


@contextmanager
def ranking_service(release: Path, **settings: object) -> Iterator[grpc.Channel]:
    """Run the service in a process of its own, with the release loaded.

    settings: of the service, by field.
    """
    (port,) = free_ports(1)
    told = {f"TANDEM_RANKING_{name.upper()}": str(value) for name, value in settings.items()}
    environment = os.environ | {
        "TANDEM_RANKING_PORT": str(port),
        "TANDEM_RANKING_LOG_LEVEL": "WARNING",
        **told,
    }
    process = subprocess.Popen([sys.executable, "-m", "ranking_service"], env=environment)
    channel = open_channel(f"127.0.0.1:{port}")
    try:
        grpc.channel_ready_future(channel).result(timeout=60)
        loader = release_service_pb2_grpc.ReleaseLoaderServiceStub(channel)
        loader.LoadRelease(LoadReleaseRequest(release_uri=str(release.resolve())))
        info = info_service_pb2_grpc.InfoServiceStub(channel)
        while (state := info.GetInfo(GetInfoRequest()).releases[0]).state == (
            info_service_pb2.RELEASE_STATE_LOADING
        ):
            time.sleep(0.2)
        if state.state != info_service_pb2.RELEASE_STATE_READY:
            raise SystemExit(f"{release} cannot be served: {state.detail}")
        yield channel
    finally:
        channel.close()
        process.terminate()
        process.wait()
