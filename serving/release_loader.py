"""The contract of loading releases, for every service that holds them."""

from typing import Generic, TypeVar

import grpc

from serving.release_shelf import ReleaseShelf
from serving.validation import check_id
from tandem.v1 import release_service_pb2_grpc
from tandem.v1.release_service_pb2 import (
    LoadReleaseRequest,
    LoadReleaseResponse,
    UnloadReleaseRequest,
    UnloadReleaseResponse,
)

T = TypeVar("T")
URI_BYTES_MAX = 4_096


class LoaderServicer(release_service_pb2_grpc.ReleaseLoaderServiceServicer, Generic[T]):
    """Serves LoadRelease and UnloadRelease from a shelf."""

    def __init__(self, shelf: ReleaseShelf[T]) -> None:
        self._shelf = shelf

    async def LoadRelease(  # noqa: N802  # named by the contract
        self,
        request: LoadReleaseRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> LoadReleaseResponse:
        """Begin to load a release."""
        check_id("release_uri", request.release_uri, bytes_max=URI_BYTES_MAX)
        return LoadReleaseResponse(release=self._shelf.load(request.release_uri))

    async def UnloadRelease(  # noqa: N802
        self,
        request: UnloadReleaseRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> UnloadReleaseResponse:
        """Drop a release."""
        check_id("release_id", request.release_id)
        return UnloadReleaseResponse(unloaded=await self._shelf.unload(request.release_id))
