"""What the ranking service is made of."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
import torch

from features.release import identify
from ranking_service.engine import device_of
from ranking_service.golden import replay
from ranking_service.limits import LIMITS
from ranking_service.loaded_release import LoadedRelease, read_release
from ranking_service.pipeline import RankPipeline
from ranking_service.servicer import RankingServicer
from ranking_service.settings import Settings
from serving.info import InfoServicer
from serving.release_loader import LoaderServicer
from serving.release_shelf import ReleaseShelf
from serving.server import Health, StartFailed
from tandem.v1 import (
    info_service_pb2,
    info_service_pb2_grpc,
    ranking_service_pb2,
    ranking_service_pb2_grpc,
    release_service_pb2,
    release_service_pb2_grpc,
)

logger = logging.getLogger(__name__)
SERVICES = [
    ranking_service_pb2.DESCRIPTOR.services_by_name["RankingService"],
    release_service_pb2.DESCRIPTOR.services_by_name["ReleaseLoaderService"],
    info_service_pb2.DESCRIPTOR.services_by_name["InfoService"],
]


def load(uri: str, settings: Settings) -> LoadedRelease:
    """Read a release and prove that it scores as it did in training."""
    loaded = read_release(uri, settings.engine, settings.threads, device_of(settings.device))
    difference = replay(loaded)
    logger.info("%s: golden logits differ by %.4f", loaded.release.release_id, difference)
    # What is read by now stays: the collector need not walk through it between requests. What
    # was read for a release that is gone is looked through once more.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return loaded


async def forget(loaded: LoadedRelease) -> None:
    """A release holds nothing but memory here."""
    logger.info("%s is unloaded", loaded.release.release_id)


@asynccontextmanager
async def ranking_parts(
    settings: Settings, server: grpc.aio.Server, health: Health
) -> AsyncIterator[None]:
    """Make the parts of the service and register its servicers."""
    torch.set_num_threads(1)  # an engine has its own
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise StartFailed("TANDEM_RANKING_DEVICE is cuda, but torch finds no GPU")
    shelf: ReleaseShelf[LoadedRelease] = ReleaseShelf(
        identify, lambda uri: asyncio.to_thread(load, uri, settings), forget, health.set_ready
    )
    pipeline = RankPipeline(
        shelf,
        queue_max=settings.queue_max,
        batch_tokens=settings.batch_tokens,
        diversity=settings.diversity,
        tried=settings.influences,
    )
    ranking_service_pb2_grpc.add_RankingServiceServicer_to_server(RankingServicer(pipeline), server)
    release_service_pb2_grpc.add_ReleaseLoaderServiceServicer_to_server(
        LoaderServicer(shelf), server
    )
    info_service_pb2_grpc.add_InfoServiceServicer_to_server(
        InfoServicer("ranking", LIMITS, shelf.infos), server
    )
    yield
    pipeline.close()
