"""A real ranking service, and what a release that was really trained is asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
from google.protobuf.json_format import ParseDict

from ranking_service.parts import SERVICES, ranking_parts
from ranking_service.settings import Settings
from serving.server import running_server
from tandem.v1 import (
    info_service_pb2,
    info_service_pb2_grpc,
    ranking_service_pb2_grpc,
    release_service_pb2_grpc,
)
from tandem.v1.info_service_pb2 import GetInfoRequest, ReleaseInfo
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.release_service_pb2 import LoadReleaseRequest
from tandem_client.channel import open_aio_channel


@asynccontextmanager
async def running_ranking(settings: Settings) -> AsyncIterator[grpc.aio.Channel]:
    """Run a ranking service in this process; yield a channel to it."""
    async with (
        running_server(
            "127.0.0.1", 0, SERVICES, lambda server, health: ranking_parts(settings, server, health)
        ) as port,
        open_aio_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel


async def load(channel: grpc.aio.Channel, directory: Path) -> ReleaseInfo:
    """Load a release; return what the service says of it once it is loaded or has failed."""
    loader = release_service_pb2_grpc.ReleaseLoaderServiceStub(channel)
    await loader.LoadRelease(LoadReleaseRequest(release_uri=str(directory)))
    while True:
        info = await info_service_pb2_grpc.InfoServiceStub(channel).GetInfo(GetInfoRequest())
        if info.releases[0].state != info_service_pb2.RELEASE_STATE_LOADING:
            return info.releases[0]
        await asyncio.sleep(0.05)


async def rank(channel: grpc.aio.Channel, request: RankRequest) -> RankResponse:
    return await ranking_service_pb2_grpc.RankingServiceStub(channel).Rank(request)


def golden(directory: Path) -> list[tuple[RankRequest, dict[str, float]]]:
    """Return what training asked of the release, each with the logits that it found."""
    lines = (directory / "golden.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [(ParseDict(e["request"], RankRequest()), e["engage_logits"]) for e in entries]
