"""Keeps the collections of every loaded release in step with the catalogue."""

import asyncio
import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from retrieval_service.catalogue.view import View
from retrieval_service.filters.compiler import AVAILABLE
from retrieval_service.index.follower import Follower, Index
from retrieval_service.index.ledger import Ledger
from retrieval_service.index.milvus import Milvus
from retrieval_service.index.spaces import Space
from serving.errors import DependencyUnavailable, TandemError

Float32 = npt.NDArray[np.float32]
logger = logging.getLogger(__name__)
STEP_TIMEOUT_S = 120.0


class Indexer:
    """Has the collections follow the catalogue, one after the other, as often as needed, and
    searches them: those in memory where there is no filter and the follower keeps some.
    """

    def __init__(self, follower: Follower, view: View, ledger: Ledger, milvus: Milvus) -> None:
        self._follower = follower
        self._view = view
        self._ledger = ledger
        self._milvus = milvus
        self._indexes: dict[tuple[str, str], Index] = {}
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        view.on_change(self._wake.set)

    def add(self, release_id: str, spaces: Sequence[Space]) -> None:
        """Keep a release's collections in step from now on."""
        for space in spaces:
            key = (release_id, space.name)
            self._indexes.setdefault(key, Index(release_id, space))
        self._wake.set()

    async def remove(self, release_id: str) -> None:
        """Drop a release's collections: now, or later if Milvus is down."""
        for key in [key for key in self._indexes if key[0] == release_id]:
            del self._indexes[key]
        await self._ledger.discard(release_id)
        await self._drop_unwanted()

    def lag(self, release_id: str) -> int:
        """Return how many revisions the release's collections lag behind the catalogue."""
        reached = [
            index.collection.revision if index.collection else 0 for index in self._of(release_id)
        ]
        return max(0, self._view.revision - min(reached, default=0))

    def complete(self, release_id: str) -> bool:
        """Tell whether the release's collections exist and are in step.

        While Milvus is down, what was written down of them has to do.
        """
        known = all(
            index.collection is not None and (index.verified or index.problem)
            for index in self._of(release_id)
        )
        return known and self.lag(release_id) == 0

    def problem(self, release_id: str) -> str:
        """Return why the release's collections do not come forward, "" if they do."""
        return next((index.problem for index in self._of(release_id) if index.problem), "")

    def columns(self, release_id: str, space: str) -> Sequence[str]:
        """Return the attributes that a collection has columns for."""
        index = self._indexes.get((release_id, space))
        return index.collection.columns if index and index.collection else ()

    async def search(
        self,
        release_id: str,
        space: str,
        vectors_QD: Float32,  # noqa: N803
        expression: str,
        limit: int,
        *,
        consistency: str = "Bounded",
    ) -> list[list[tuple[str, float]]]:
        """Search the collection of a release and space, see `Milvus.search`.

        In memory where that does as well: without a filter, and not behind the collection.
        """
        index = self._indexes.get((release_id, space))
        if self._view.revision == 0:
            return [[] for _ in vectors_QD]
        if expression == AVAILABLE and consistency == "Bounded" and index is not None:
            reached = index.collection.revision if index.collection else self._view.revision
            if index.exact is not None and index.exact.revision >= reached:
                return index.exact.search(vectors_QD, limit)
        if index is None or index.collection is None:
            raise DependencyUnavailable("milvus", f"the {space} index is not there yet")
        try:
            return await self._milvus.search(
                index.collection.name, vectors_QD, expression, limit, consistency=consistency
            )
        except DependencyUnavailable:
            # Perhaps the collection was lost, or Milvus came back without loading it.
            self._wake.set()
            raise

    async def run(self, interval_s: float) -> None:
        """Work for ever: at once when the catalogue changes, and every `interval_s` to look."""
        while True:
            self._wake.clear()
            await self._drop_unwanted()
            worked = [await self._try_step(index) for index in list(self._indexes.values())]
            if not any(worked):
                try:
                    async with asyncio.timeout(interval_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def _drop_unwanted(self) -> None:
        try:
            async with self._one_at_a_time, asyncio.timeout(STEP_TIMEOUT_S):
                for name in await self._ledger.unwanted():
                    await self._milvus.drop(name)
                    await self._ledger.forget(name)
        except (TandemError, TimeoutError) as error:
            logger.warning("collections that are not needed are not dropped yet: %s", error)

    async def _try_step(self, index: Index) -> bool:
        try:
            async with self._one_at_a_time, asyncio.timeout(STEP_TIMEOUT_S):
                if (index.release_id, index.space.name) not in self._indexes:
                    return False
                worked = await self._follower.step(index)
        except Exception as error:
            if not isinstance(error, TandemError | TimeoutError):
                logger.exception("indexing failed")
            problem = str(error) or "milvus is unavailable: it does not answer"
            if problem != index.problem:
                logger.warning("indexing %s of %s: %s", index.space.name, index.release_id, problem)
            index.problem = problem
            return False
        index.problem = ""
        return worked

    def _of(self, release_id: str) -> list[Index]:
        return [index for key, index in self._indexes.items() if key[0] == release_id]
