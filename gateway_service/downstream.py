"""The services behind the gateway."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import grpc.aio

from serving.errors import DependencyUnavailable, ReleaseUnusable, TandemError
from tandem.v1 import error_reason_pb2, info_service_pb2
from tandem.v1.catalog_service_pb2_grpc import CatalogServiceStub
from tandem.v1.info_service_pb2 import GetInfoResponse, ReleaseInfo
from tandem.v1.info_service_pb2_grpc import InfoServiceStub
from tandem.v1.ranking_service_pb2_grpc import RankingServiceStub
from tandem.v1.release_service_pb2 import LoadReleaseRequest, UnloadReleaseRequest
from tandem.v1.release_service_pb2_grpc import ReleaseLoaderServiceStub
from tandem.v1.retrieval_service_pb2_grpc import RetrievalServiceStub
from tandem_client.errors import reason_of

if TYPE_CHECKING:
    # The stubs of asyncio channels exist for the type checker only.
    from tandem.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub
    from tandem.v1.ranking_service_pb2_grpc import RankingServiceAsyncStub
    from tandem.v1.retrieval_service_pb2_grpc import RetrievalServiceAsyncStub

CONTROL_TIMEOUT_S = 5.0


class Holder:
    """A service that holds releases.

    Its methods raise DependencyUnavailable if it is down, `load` ReleaseUnusable too.
    """

    def __init__(self, name: str, channel: grpc.aio.Channel) -> None:
        self.name = name
        self._info = InfoServiceStub(channel)
        self._loader = ReleaseLoaderServiceStub(channel)

    async def info(self) -> GetInfoResponse:
        """Return what the service holds."""
        try:
            return await self._info.GetInfo(
                info_service_pb2.GetInfoRequest(), timeout=CONTROL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error

    async def release(self, release_id: str) -> ReleaseInfo | None:
        """Return how far a release is on the service, None if the service does not know it."""
        known = (await self.info()).releases
        return next((info for info in known if info.release_id == release_id), None)

    async def load(self, release_uri: str) -> None:
        """Have the service begin to load a release."""
        request = LoadReleaseRequest(release_uri=release_uri)
        try:
            await self._loader.LoadRelease(request, timeout=CONTROL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error

    async def unload(self, release_id: str) -> None:
        """Have the service drop a release."""
        request = UnloadReleaseRequest(release_id=release_id)
        try:
            await self._loader.UnloadRelease(request, timeout=CONTROL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error

    def _translated(self, error: grpc.aio.AioRpcError) -> TandemError:
        detail = error.details() or error.code().name
        if reason_of(error)[0] == error_reason_pb2.ERROR_REASON_RELEASE_UNUSABLE:
            return ReleaseUnusable(f"{self.name}: {detail}")
        return DependencyUnavailable(self.name, detail)


@dataclass(frozen=True)
class Downstream:
    """Stubs of the services that the gateway calls."""

    retrieval: "RetrievalServiceAsyncStub"
    catalog: "CatalogServiceAsyncStub"
    ranking: "RankingServiceAsyncStub"
    holders: tuple[Holder, ...]


def connect(retrieval: grpc.aio.Channel, ranking: grpc.aio.Channel) -> Downstream:
    """Make the stubs."""
    return Downstream(
        retrieval=RetrievalServiceStub(retrieval),
        catalog=CatalogServiceStub(retrieval),
        ranking=RankingServiceStub(ranking),
        holders=(Holder("retrieval", retrieval), Holder("ranking", ranking)),
    )
