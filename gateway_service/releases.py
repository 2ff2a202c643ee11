"""The releases that requests are pinned to."""

import asyncio
import logging

from features.release import Release, open_release
from gateway_service.store.database import Database
from gateway_service.store.releases import (
    Pointer,
    read_pointer,
    record_activation,
    record_rollback,
    release_uri,
)
from gateway_service.store.times import now_us
from serving.errors import DependencyUnavailable, ReleaseUnusable
from tandem.v1 import info_service_pb2
from tandem.v1.info_service_pb2 import ReleaseInfo

logger = logging.getLogger(__name__)


class Releases:
    """The pointer, and what the gateway needs of the releases that it names.

    The database has the pointer; what is kept here is a copy, so that Recommend does without it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pointer = Pointer()
        self._open: dict[str, Release] = {}
        self._unusable: dict[str, str] = {}
        # A pointer that was read before a flip must not be taken for the newer one.
        self._moving = asyncio.Lock()

    @property
    def pointer(self) -> Pointer:
        """The pointer, as last read."""
        return self._pointer

    def held(self) -> list[Release]:
        """Return the open releases among current and previous, the current one first."""
        named = (self._pointer.current, self._pointer.previous)
        return [self._open[release_id] for release_id in named if release_id in self._open]

    def infos(self) -> list[ReleaseInfo]:
        """Return the open releases as GetInfo tells them."""
        return [info_of(release) for release in self.held()]

    def with_states(self, activated: list[ReleaseInfo]) -> list[ReleaseInfo]:
        """Return the releases with the state of those that are held."""
        held = {info.release_id: info for info in self.infos()}
        return [held.get(info.release_id, info) for info in activated]

    def pin(self) -> Release:
        """Return the release that serves. Raises DependencyUnavailable if there is none."""
        current = self._pointer.current
        if not current:
            raise DependencyUnavailable("release", "no release is active")
        release = self._open.get(current)
        if release is None:
            raise DependencyUnavailable("release", self._unusable.get(current, "it is being read"))
        return release

    async def refresh(self) -> None:
        """Read the pointer, which another gateway may have moved, and open what it names."""
        async with self._moving:
            pointer = await self._database.read(read_pointer)
            for release_id in (pointer.current, pointer.previous):
                if release_id and release_id not in self._open:
                    await self._open_known(release_id)
            self._set(pointer)

    async def flip_to(self, release: Release) -> None:
        """Have an open release serve, durably."""
        info = info_of(release)
        async with self._moving:
            pointer = await self._database.write(lambda c: record_activation(c, info, now_us()))
            self._open[release.release_id] = release
            self._set(pointer)

    async def flip_back(self, expected: Pointer) -> None:
        """Have the previous release serve, durably, unless the pointer has moved meanwhile."""
        async with self._moving:
            self._set(await self._database.write(lambda c: record_rollback(c, expected)))

    def _set(self, pointer: Pointer) -> None:
        if pointer != self._pointer:
            logger.info("the current release is %s", pointer.current)
        self._pointer = pointer
        named = (pointer.current, pointer.previous)
        self._open = {name: self._open[name] for name in named if name in self._open}

    async def _open_known(self, release_id: str) -> None:
        uri = await self._database.read(lambda c: release_uri(c, release_id))
        try:
            # Its hashes were compared when it was activated.
            self._open[release_id] = await read_release(uri or "", verify=False)
        except ReleaseUnusable as error:
            if self._unusable.get(release_id) != str(error):
                logger.error("release %s cannot be read: %s", release_id, error)
            self._unusable[release_id] = str(error)


async def read_release(uri: str, *, verify: bool) -> Release:
    """Open a release and read what the gateway needs of it. Raises ReleaseUnusable."""

    def read() -> Release:
        release = open_release(uri, verify=verify)
        # Read now rather than within the first request that needs them. A vocabulary is digested
        # when it is first asked.
        len(release.fallback_item_ids)
        len(release.items)
        release.vocabulary.named("")
        return release

    try:
        return await asyncio.to_thread(read)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseUnusable(f"{uri} cannot be read: {error}") from error


def info_of(release: Release) -> ReleaseInfo:
    """Return a release that the gateway holds, as GetInfo tells it."""
    return ReleaseInfo(
        release_id=release.release_id,
        release_uri=release.uri,
        state=info_service_pb2.RELEASE_STATE_READY,
        model_versions=release.model_versions,
    )
