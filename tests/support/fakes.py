"""Hand-written stand-ins for the services behind the gateway, over real gRPC."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc.aio

from features.ids import item_hash
from features.release import open_release
from serving.errors import ReleaseUnusable, TandemError, VersionMismatch
from serving.interceptors import ErrorInterceptor
from serving.server import OPTIONS
from tandem.v1 import (
    candidate_pb2,
    catalog_service_pb2_grpc,
    info_service_pb2,
    info_service_pb2_grpc,
    ranking_service_pb2_grpc,
    release_service_pb2_grpc,
    retrieval_service_pb2_grpc,
)
from tandem.v1.candidate_pb2 import ActionProbability, Candidate, Hit, RankedItem, Reason
from tandem.v1.catalog_service_pb2 import BatchGetItemsRequest, BatchGetItemsResponse
from tandem.v1.common_pb2 import Vector
from tandem.v1.event_pb2 import ACTION_CLICK
from tandem.v1.info_service_pb2 import GetInfoRequest, GetInfoResponse, ReleaseInfo
from tandem.v1.item_pb2 import Item
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.release_service_pb2 import (
    LoadReleaseRequest,
    LoadReleaseResponse,
    UnloadReleaseRequest,
    UnloadReleaseResponse,
)
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse


class FakeHolder(
    info_service_pb2_grpc.InfoServiceServicer, release_service_pb2_grpc.ReleaseLoaderServiceServicer
):
    """Holds releases: each is LOADING for some looks at it, then READY, or FAILED if told so."""

    def __init__(self) -> None:
        self.releases: dict[str, ReleaseInfo] = {}
        self.looks_until_ready = 0
        self.fails_to_load = False
        # What calls of the services do instead of answering.
        self.failure: TandemError | None = None
        self.delay_s = 0.0
        self._looks: dict[str, int] = {}

    async def GetInfo(self, request: GetInfoRequest, context: object) -> GetInfoResponse:
        for release_id, release in self.releases.items():
            self._looks[release_id] = self._looks.get(release_id, 0) + 1
            if self.fails_to_load:
                release.state = info_service_pb2.RELEASE_STATE_FAILED
                release.detail = "the fake was told to fail"
            elif self._looks[release_id] > self.looks_until_ready:
                release.state = info_service_pb2.RELEASE_STATE_READY
        return GetInfoResponse(releases=self.releases.values())

    async def LoadRelease(
        self, request: LoadReleaseRequest, context: object
    ) -> LoadReleaseResponse:
        try:
            release = open_release(request.release_uri, verify=False)
        except Exception as error:
            raise ReleaseUnusable(str(error)) from error
        info = ReleaseInfo(
            release_id=release.release_id,
            release_uri=request.release_uri,
            state=info_service_pb2.RELEASE_STATE_LOADING,
        )
        self._looks.setdefault(release.release_id, 0)
        return LoadReleaseResponse(release=self.releases.setdefault(release.release_id, info))

    async def UnloadRelease(
        self, request: UnloadReleaseRequest, context: object
    ) -> UnloadReleaseResponse:
        self._looks.pop(request.release_id, None)
        known = self.releases.pop(request.release_id, None)
        return UnloadReleaseResponse(unloaded=known is not None)

    async def before(self, release_id: str) -> None:
        await asyncio.sleep(self.delay_s)
        if self.failure is not None:
            raise self.failure
        if release_id not in self.releases:
            raise VersionMismatch(release_id)


class FakeRetrieval(
    FakeHolder,
    retrieval_service_pb2_grpc.RetrievalServiceServicer,
    catalog_service_pb2_grpc.CatalogServiceServicer,
):
    """Finds the unseen items of its catalogue in their order, and knows no filters."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__()
        self.items = {item.item_id: item for item in items}
        self.requests: list[RetrieveRequest] = []
        self.catalog_failure: TandemError | None = None
        self.finds_nothing = False
        self.text_vector: Vector | None = None
        self.user_vector: Vector | None = None

    async def Retrieve(self, request: RetrieveRequest, context: object) -> RetrieveResponse:
        await self.before(request.release_id)
        self.requests.append(request)
        seen = set(request.user.seen.item_hashes)
        found = [
            item_id
            for item_id in self.items
            if item_hash(item_id) not in seen and item_id not in request.excluded_item_ids
        ]
        return RetrieveResponse(
            release_id=request.release_id,
            candidates=[
                Candidate(
                    item_id=item_id,
                    hits=[Hit(source=candidate_pb2.SOURCE_POPULAR, score=0.0, rank=rank)],
                )
                for rank, item_id in enumerate(found[: request.candidate_count], start=1)
            ]
            if not self.finds_nothing
            else [],
            text_vector=self.text_vector,
            user_vector=self.user_vector,
        )

    async def BatchGetItems(
        self, request: BatchGetItemsRequest, context: object
    ) -> BatchGetItemsResponse:
        await asyncio.sleep(self.delay_s)
        if self.catalog_failure is not None:
            raise self.catalog_failure
        return BatchGetItemsResponse(
            items=[self.items[i] for i in request.item_ids if i in self.items]
        )


class FakeRanking(FakeHolder, ranking_service_pb2_grpc.RankingServiceServicer):
    """Turns the order round: the last candidate is the best."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[RankRequest] = []
        # Where exploration is asked for, the third item stands for it, with this probability.
        self.explored_with = 0.0

    async def Rank(self, request: RankRequest, context: object) -> RankResponse:
        await self.before(request.release_id)
        self.requests.append(request)
        best_first = list(reversed(request.candidates))[: request.item_count]
        liked = request.user.history[-1].item_id if request.user.history else ""
        explores = self.explored_with and request.exploration.positions
        return RankResponse(
            release_id=request.release_id,
            items=[
                RankedItem(
                    item_id=candidate.item_id,
                    explored_with=self.explored_with if explores and place == 2 else None,
                    score=1.0 - place / 1000,
                    action_probabilities=[ActionProbability(action=ACTION_CLICK, probability=0.5)],
                    reasons=[
                        Reason(
                            kind=candidate_pb2.REASON_KIND_LIKE_HISTORY_ITEM,
                            item_id=liked,
                            weight=1.0,
                        )
                    ]
                    if liked
                    else [],
                    hits=candidate.hits,
                )
                for place, candidate in enumerate(best_first)
            ],
        )


class Part:
    """A fake's server, which can be stopped and started again on the same port."""

    def __init__(self, fake: FakeHolder) -> None:
        self.fake = fake
        self._server: grpc.aio.Server | None = None
        self._port = 0

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        server = grpc.aio.server(interceptors=[ErrorInterceptor(256)], options=OPTIONS)
        fake = self.fake
        info_service_pb2_grpc.add_InfoServiceServicer_to_server(fake, server)
        release_service_pb2_grpc.add_ReleaseLoaderServiceServicer_to_server(fake, server)
        if isinstance(fake, FakeRetrieval):
            retrieval_service_pb2_grpc.add_RetrievalServiceServicer_to_server(fake, server)
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server(fake, server)
        if isinstance(fake, FakeRanking):
            ranking_service_pb2_grpc.add_RankingServiceServicer_to_server(fake, server)
        self._port = server.add_insecure_port(f"127.0.0.1:{self._port}")
        await server.start()
        self._server = server

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None


@asynccontextmanager
async def running_part(fake: FakeHolder) -> AsyncIterator[Part]:
    part = Part(fake)
    await part.start()
    try:
        yield part
    finally:
        await part.stop()
