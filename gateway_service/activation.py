"""Moves the pointer: every service loads the release first, then one row changes."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from features.manifest import AgainstEntry
from features.release import Release
from gateway_service.downstream import Downstream, Holder
from gateway_service.releases import Releases, read_release
from serving.errors import DependencyUnavailable, NotFound, ReleaseUnusable, TandemError
from serving.validation import check_text
from tandem.v1 import info_service_pb2
from tandem.v1.info_service_pb2 import ReleaseInfo
from tandem.v1.release_service_pb2 import ActivateReleaseResponse, RollbackReleaseResponse

logger = logging.getLogger(__name__)
URI_BYTES_MAX = 4_096
POLL_S = 0.25
# A service that restarts while it loads is waited for this long.
UNREACHABLE_MAX_S = 30.0


class Activation:
    """Activates releases and rolls back, one at a time."""

    def __init__(self, releases: Releases, downstream: Downstream, timeout_s: float) -> None:
        self._releases = releases
        self._downstream = downstream
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()

    async def activate(
        self, uri: str, *, force: bool = False
    ) -> AsyncGenerator[ActivateReleaseResponse, None]:
        """Load a release everywhere, then have it serve. Yields the steps.

        force: even one that is known to be worse. Raises ReleaseUnusable, or
        DependencyUnavailable if a service is down; nothing has changed then.
        """
        check_text("release_uri", uri, bytes_max=URI_BYTES_MAX)
        async with self._lock:
            yield ActivateReleaseResponse(message="comparing the release's files with their hashes")
            release = await read_release(uri, verify=True)
            if release.worse and not force:
                raise ReleaseUnusable(_told_worse(release.release_id, release.worse))
            try:
                async with aclosing(self._make_ready(release)) as messages:
                    async for message in messages:
                        yield ActivateReleaseResponse(
                            message=message, release_id=release.release_id
                        )
            except BaseException:
                await self._unload_unnamed([release.release_id])
                raise
            await self._releases.flip_to(release)
            await self._unload_unnamed(await self._known_downstream())
            yield ActivateReleaseResponse(
                message="the release serves", release_id=release.release_id, activated=True
            )

    async def rollback(self) -> RollbackReleaseResponse:
        """Have the previous release serve again. Raises NotFound if there is none."""
        async with self._lock:
            await self._releases.refresh()
            pointer = self._releases.pointer
            if not pointer.previous:
                raise NotFound("a previous release")
            previous = next(
                (r for r in self._releases.held() if r.release_id == pointer.previous), None
            )
            if previous is None:
                raise ReleaseUnusable(f"release {pointer.previous} cannot be read any more")
            async for message in self._make_ready(previous):
                logger.info("rolling back: %s", message)
            await self._releases.flip_back(pointer)
            moved = self._releases.pointer
            return RollbackReleaseResponse(
                current_release_id=moved.current, previous_release_id=moved.previous
            )

    async def _make_ready(self, release: Release) -> AsyncGenerator[str, None]:
        """Have every service load the release; yield what happens until each is ready."""
        for holder in self._downstream.holders:
            await holder.load(release.uri)
        until = time.monotonic() + self._timeout_s
        waiting = dict.fromkeys(self._downstream.holders, "")
        reached = dict.fromkeys(waiting, time.monotonic())
        while waiting:
            for holder, told in list(waiting.items()):
                try:
                    info = await self._info_or_reload(holder, release)
                    reached[holder] = time.monotonic()
                except DependencyUnavailable:
                    if time.monotonic() - reached[holder] > UNREACHABLE_MAX_S:
                        raise
                    info = ReleaseInfo(detail="unreachable; waiting for it")
                if info.state == info_service_pb2.RELEASE_STATE_FAILED:
                    raise ReleaseUnusable(f"{holder.name} could not load it: {info.detail}")
                message = _progress(holder, info)
                if message != told:
                    yield message
                waiting[holder] = message
                if info.state == info_service_pb2.RELEASE_STATE_READY and not info.index_lag:
                    del waiting[holder]
            if waiting and time.monotonic() > until:
                names = ", ".join(holder.name for holder in waiting)
                raise DependencyUnavailable(names, f"not ready within {self._timeout_s:g} s")
            if waiting:
                await asyncio.sleep(POLL_S)

    async def _info_or_reload(self, holder: Holder, release: Release) -> ReleaseInfo:
        info = await holder.release(release.release_id)
        if info is None:
            # It has restarted meanwhile.
            await holder.load(release.uri)
            return ReleaseInfo(detail="has been asked again to load it")
        return info

    async def _known_downstream(self) -> list[str]:
        """Return the releases that any service holds."""
        known: set[str] = set()
        for holder in self._downstream.holders:
            try:
                known.update(info.release_id for info in (await holder.info()).releases)
            except DependencyUnavailable as error:
                logger.warning("cannot ask which releases are loaded: %s", error)
        return sorted(known)

    async def _unload_unnamed(self, release_ids: list[str]) -> None:
        """Unload those of the releases that are neither current nor previous."""
        pointer = self._releases.pointer
        for release_id in release_ids:
            if release_id in (pointer.current, pointer.previous):
                continue
            for holder in self._downstream.holders:
                try:
                    await holder.unload(release_id)
                except TandemError as error:
                    logger.warning("cannot unload release %s: %s", release_id, error)


def _told_worse(release_id: str, against: AgainstEntry) -> str:
    told = [
        f"{beside['metric']} {beside['ours']:.4f} for {beside['theirs']:.4f} on "
        f"{beside['targets']:,} {what}, {beside['difference']:+.4f} "
        f"[{beside['ci95'][0]:+.4f}, {beside['ci95'][1]:+.4f}]"
        for what, beside in (("events", against["events"]), ("lists", against["lists"]))
        if beside is not None
    ]
    return (
        f"{release_id} is worse than {against['release_id']}: {'; '.join(told)}; "
        "only force activates it"
    )


def _progress(holder: Holder, info: ReleaseInfo) -> str:
    match info.state:
        case info_service_pb2.RELEASE_STATE_READY if info.index_lag:
            return f"{holder.name}: the index lags {info.index_lag:,} revisions behind"
        case info_service_pb2.RELEASE_STATE_READY:
            return f"{holder.name}: ready"
        case _:
            return f"{holder.name}: {info.detail or 'loading'}"
