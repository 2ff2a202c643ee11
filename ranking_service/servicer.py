"""The contracts of the ranking service, without logic."""

import grpc

from ranking_service.pipeline import RankPipeline
from serving.stages import Deadline
from tandem.v1 import ranking_service_pb2_grpc
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse


class RankingServicer(ranking_service_pb2_grpc.RankingServiceServicer):
    """Serves Rank."""

    def __init__(self, pipeline: RankPipeline) -> None:
        self._pipeline = pipeline

    async def Rank(self, request: RankRequest, context: grpc.ServicerContext) -> RankResponse:
        return await self._pipeline.rank(request, Deadline.of(context))
