"""Releases side by side on one server: read beside the live one, told apart by id."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from serving.errors import TandemError, VersionMismatch
from tandem.v1 import info_service_pb2
from tandem.v1.info_service_pb2 import ReleaseInfo

T = TypeVar("T")
logger = logging.getLogger(__name__)


class ReleaseShelf(Generic[T]):
    """Holds what a server made of each release.

    identify(uri) returns id and model versions from the manifest, or raises ReleaseUnusable.
    read(uri) makes what serves it; drop(release) undoes that. on_change is called after each.
    """

    def __init__(
        self,
        identify: Callable[[str], tuple[str, dict[str, str]]],
        read: Callable[[str], Awaitable[T]],
        drop: Callable[[T], Awaitable[None]],
        on_change: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._identify = identify
        self._read = read
        self._drop = drop
        self._on_change = on_change
        self._infos: dict[str, ReleaseInfo] = {}
        self._ready: dict[str, T] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def get(self, release_id: str) -> T:
        """Return a release that is ready. Raises VersionMismatch."""
        if release_id not in self._ready:
            raise VersionMismatch(release_id)
        return self._ready[release_id]

    def infos(self) -> list[ReleaseInfo]:
        """Return how far each release is."""
        return list(self._infos.values())

    def ready(self) -> list[T]:
        """Return the releases that can serve."""
        return list(self._ready.values())

    def load(self, uri: str) -> ReleaseInfo:
        """Begin to load a release, unless it is there or on its way. Raises ReleaseUnusable."""
        release_id, versions = self._identify(uri)
        info = self._infos.get(release_id)
        if info is None or info.state == info_service_pb2.RELEASE_STATE_FAILED:
            info = self._infos[release_id] = ReleaseInfo(
                release_id=release_id,
                release_uri=uri,
                state=info_service_pb2.RELEASE_STATE_LOADING,
                model_versions=versions,
            )
            self._tasks[release_id] = asyncio.create_task(self._load(info))
        return info

    async def unload(self, release_id: str) -> bool:
        """Drop a release; return whether it was there."""
        info = self._infos.pop(release_id, None)
        if task := self._tasks.pop(release_id, None):
            task.cancel()
        if (release := self._ready.pop(release_id, None)) is not None:
            await self._drop(release)
        await self._on_change(bool(self._ready))
        return info is not None

    async def _load(self, info: ReleaseInfo) -> None:
        try:
            self._ready[info.release_id] = await self._read(info.release_uri)
        except Exception as error:
            if not isinstance(error, TandemError):
                logger.exception("release %s could not be loaded", info.release_id)
            info.state = info_service_pb2.RELEASE_STATE_FAILED
            info.detail = str(error)
            return
        info.state = info_service_pb2.RELEASE_STATE_READY
        logger.info("release %s is ready", info.release_id)
        await self._on_change(True)
