"""Keeps the services behind the gateway on the releases that the pointer names."""

import asyncio
import logging
import time

from features.release import Release
from gateway_service.downstream import Downstream, Holder
from gateway_service.exploration import Exploring
from gateway_service.live_counts import LiveCounts
from gateway_service.releases import Releases
from serving.errors import TandemError
from serving.server import Health
from tandem.v1 import info_service_pb2

logger = logging.getLogger(__name__)
# A release that failed to load is tried again, in case what it lacked has come back.
FAILED_RETRY_S = 10.0


class Reconciler:
    """Has a service that restarted load what it lost, and tells when the gateway can serve."""

    def __init__(
        self,
        releases: Releases,
        live: LiveCounts,
        exploring: Exploring,
        downstream: Downstream,
        health: Health,
    ) -> None:
        self._releases = releases
        self._live = live
        self._exploring = exploring
        self._downstream = downstream
        self._health = health
        self._ready = False
        self._complaints: dict[str, str] = {}
        self._retry_after: dict[tuple[str, str], float] = {}

    async def run(self, interval_s: float) -> None:
        """Look every `interval_s` seconds, for ever."""
        while True:
            try:
                await self.look()
            except TandemError as error:
                self._complain("pointer", str(error))
            except Exception:
                # The loop must not end: nothing else would make a restarted service whole.
                logger.exception("reconciling failed")
            await asyncio.sleep(interval_s)

    async def look(self) -> None:
        """Look once."""
        await self._releases.refresh()
        held = self._releases.held()
        # What another gateway has recorded, and of a release that is new here, everything.
        await self._live.refresh(held)
        await self._exploring.refresh()
        states = await asyncio.gather(
            *(self._reconcile(holder, held) for holder in self._downstream.holders)
        )
        # Once ready the gateway stays so: without the others it still answers, degraded.
        if not self._ready and held and all(states):
            self._ready = True
            await self._health.set_ready(True)
            logger.info("ready: every service holds release %s", held[0].release_id)

    async def _reconcile(self, holder: Holder, held: list[Release]) -> bool:
        """Have a service load what it lacks; return whether it can serve the current release."""
        try:
            known = {info.release_id: info for info in (await holder.info()).releases}
            for release in held:
                info = known.get(release.release_id)
                failed = info is not None and info.state == info_service_pb2.RELEASE_STATE_FAILED
                if info is None or (failed and self._may_retry(holder, release)):
                    logger.info("having %s load release %s", holder.name, release.release_id)
                    await holder.load(release.uri)
        except TandemError as error:
            self._complain(holder.name, str(error))
            return False
        self._complain(holder.name, "")
        current = known.get(self._releases.pointer.current)
        return current is not None and current.state == info_service_pb2.RELEASE_STATE_READY

    def _may_retry(self, holder: Holder, release: Release) -> bool:
        key = (holder.name, release.release_id)
        if time.monotonic() < self._retry_after.get(key, 0):
            return False
        self._retry_after[key] = time.monotonic() + FAILED_RETRY_S
        return True

    def _complain(self, part: str, problem: str) -> None:
        """Log a problem when it comes and when it goes, not at every look."""
        former = self._complaints.get(part, "")
        if problem and not former:
            logger.warning("%s", problem)
        elif former and not problem:
            logger.info("%s is back", part)
        self._complaints[part] = problem
