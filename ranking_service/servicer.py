"""The contracts of the ranking service, without logic."""

import grpc

from ranking_service.loaded_release import LoadedRelease
from ranking_service.pipeline import RankPipeline
from serving.release_shelf import ReleaseShelf
from serving.stages import Deadline
from serving.validation import check_text
from tandem.v1 import ranking_service_pb2_grpc, release_service_pb2_grpc
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.release_service_pb2 import (
    LoadReleaseRequest,
    LoadReleaseResponse,
    UnloadReleaseRequest,
    UnloadReleaseResponse,
)

URI_BYTES_MAX = 4_096


class RankingServicer(ranking_service_pb2_grpc.RankingServiceServicer):
    """Serves Rank."""

    def __init__(self, pipeline: RankPipeline) -> None:
        self._pipeline = pipeline

    async def Rank(self, request: RankRequest, context: grpc.ServicerContext) -> RankResponse:
        return await self._pipeline.rank(request, Deadline.of(context))


class LoaderServicer(release_service_pb2_grpc.ReleaseLoaderServiceServicer):
    """Serves LoadRelease and UnloadRelease."""

    def __init__(self, shelf: ReleaseShelf[LoadedRelease]) -> None:
        self._shelf = shelf

    async def LoadRelease(
        self, request: LoadReleaseRequest, context: grpc.ServicerContext
    ) -> LoadReleaseResponse:
        check_text("release_uri", request.release_uri, bytes_max=URI_BYTES_MAX)
        return LoadReleaseResponse(release=self._shelf.load(request.release_uri))

    async def UnloadRelease(
        self, request: UnloadReleaseRequest, context: grpc.ServicerContext
    ) -> UnloadReleaseResponse:
        return UnloadReleaseResponse(unloaded=await self._shelf.unload(request.release_id))
