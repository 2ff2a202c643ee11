"""Loads releases beside the live one: read, verified, indexed to zero lag, warmed up, ready."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import grpc.aio
import numpy as np

from features.release import identify
from retrieval_service.catalogue.media_vectors import MediaVectors
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.filters.compiler import AVAILABLE
from retrieval_service.index.indexer import Indexer
from retrieval_service.index.spaces import Space, spaces_of
from retrieval_service.release import LoadedRelease, read_release
from retrieval_service.user_encoder import UserEncoder
from serving.errors import DependencyUnavailable
from serving.release_shelf import ReleaseShelf
from tandem.v1 import info_service_pb2
from tandem.v1.info_service_pb2 import ReleaseInfo

logger = logging.getLogger(__name__)
_LOOK_S = 0.05
_WARM_UP_S = 10.0


class Releases:
    """The releases of this server; `shelf` tells which there are."""

    def __init__(
        self,
        vectors: Vectors,
        media: MediaVectors,
        indexer: Indexer,
        user_encoder: UserEncoder,
        on_change: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._vectors = vectors
        self._media = media
        self._indexer = indexer
        self._user_encoder = user_encoder
        self._forgetting = asyncio.Lock()
        self.shelf: ReleaseShelf[LoadedRelease] = ReleaseShelf(
            identify, self._read, self._drop, on_change
        )

    def infos(self) -> list[ReleaseInfo]:
        """Return how far each release is, and how far its indexes lag behind the catalogue."""
        infos = []
        for held in self.shelf.infos():
            info = ReleaseInfo()
            info.CopyFrom(held)
            problem = self._indexer.problem(info.release_id)
            if info.state != info_service_pb2.RELEASE_STATE_FAILED:
                info.index_lag = self._indexer.lag(info.release_id)
                info.detail = problem
            if info.state == info_service_pb2.RELEASE_STATE_LOADING and not problem:
                info.detail = "reading and indexing"
            infos.append(info)
        return infos

    async def _read(self, uri: str) -> LoadedRelease:
        async with self._forgetting:
            # The same release may have been unloaded a moment ago.
            loaded = await asyncio.to_thread(read_release, uri)
        release = loaded.release
        await asyncio.to_thread(self._vectors.add_release, release)
        spaces = spaces_of(release, self._vectors, self._media)
        self._indexer.add(release.release_id, spaces)
        try:
            while not self._indexer.complete(release.release_id):  # noqa: ASYNC110  # no event for it
                await asyncio.sleep(_LOOK_S)
            await self._warm_up(loaded, spaces)
        except BaseException:
            await self._forget(release.release_id)
            raise
        return loaded

    async def _warm_up(self, loaded: LoadedRelease, spaces: list[Space]) -> None:
        """Have the user tower loaded; search once; wait until what was written can be found."""
        release_id = loaded.release.release_id
        try:
            await self._user_encoder.warm_up(loaded.release, _WARM_UP_S)
        except grpc.aio.AioRpcError as error:
            # It is loaded when it is first asked for; other sources can serve until then.
            logger.warning("the user tower of %s is not loaded: %s", release_id, error.details())
        for space in spaces:
            vector = np.full((1, space.dimension), space.dimension**-0.5, np.float32)
            try:
                async with asyncio.timeout(_WARM_UP_S):
                    await self._indexer.search(
                        release_id, space.name, vector, AVAILABLE, 1, consistency="Strong"
                    )
            except (DependencyUnavailable, TimeoutError) as error:
                # It was indexed before and Milvus is down now: other sources can serve.
                logger.warning("%s was not warmed up: %s", release_id, error)

    async def _drop(self, loaded: LoadedRelease) -> None:
        await self._forget(loaded.release.release_id)

    async def _forget(self, release_id: str) -> None:
        async with self._forgetting:
            self._vectors.remove_release(release_id)
            await self._indexer.remove(release_id)
