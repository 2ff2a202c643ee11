"""Bringing one collection forward: made, written to and flushed as the catalogue changes."""

import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval_service.catalogue.records import Change
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.view import View
from retrieval_service.courtesy import Courtesy
from retrieval_service.index.exact import ExactIndex, step_forward
from retrieval_service.index.fields import (
    ATTRIBUTE_COLUMNS_MAX,
    FLAGS,
    scalar_types,
    scalar_values,
)
from retrieval_service.index.ledger import Collection, Ledger
from retrieval_service.index.milvus import VECTOR, CollectionTorn, Milvus
from retrieval_service.index.spaces import Space

logger = logging.getLogger(__name__)
BATCH_ITEMS = 1_000
# Putting 1,000 rows into a message takes 50 ms, in which the service could answer nobody.
UPSERT_ROWS = 200
# What is new is searched row by row on Milvus Lite: 500 rows cost 10 ms a search (measured).
FLUSH_ITEMS = 256
# Where nobody searches it can wait: a flush takes 0.1 s of a core, however few the rows (measured).
FLUSH_ITEMS_QUIET = 2_048


@dataclass
class Index:
    """The collection of one release and space.

    collection: None until the ledger has been read. verified: Milvus has been seen to have it.
    unflushed: items written since the last flush. problem: why it does not come forward, for
    people. exact: its available items' vectors in memory, None where there are too many.
    """

    release_id: str
    space: Space
    collection: Collection | None = None
    verified: bool = False
    unflushed: int = FLUSH_ITEMS_QUIET
    problem: str = ""
    exact: ExactIndex | None = None


class Follower:
    """Has collections follow the catalogue.

    A batch that is applied twice does no harm, so that its revision is written down afterwards.
    Up to `exact_items_max` items, each copy of the service keeps the vectors in memory besides.
    """

    def __init__(
        self,
        store: Store,
        view: View,
        ledger: Ledger,
        milvus: Milvus,
        courtesy: Courtesy | None = None,
        exact_items_max: int = 0,
    ) -> None:
        """courtesy: knows whether there are requests; None: there may always be some."""
        self._exact_items_max = exact_items_max
        self._store = store
        self._view = view
        self._ledger = ledger
        self._milvus = milvus
        self._courtesy = courtesy

    async def step(self, index: Index) -> bool:
        """Bring an index one batch forward; return whether there was anything to do."""
        # First what is in memory, which does without Milvus.
        worked = await self._step_exactly(index)
        return await self._step(index) or worked

    async def _step_exactly(self, index: Index) -> bool:
        if len(self._view.entries) > self._exact_items_max:
            index.exact = None
            return False
        if index.exact is None:
            index.exact = ExactIndex(index.space.dimension)
        if index.exact.revision >= self._view.revision:
            return False
        return await step_forward(index.exact, index.space, self._store, BATCH_ITEMS)

    async def _step(self, index: Index) -> bool:
        collection = await self._ledger.find(index.release_id, index.space.name)
        if collection is None:
            collection = await self._ledger.find_or_add(_new_collection(index))
        index.collection = collection
        if self._view.revision == 0:
            # With the first items come the attributes that the collection shall have columns for.
            index.verified = True
            return False
        exists = collection.name in await self._milvus.collections()
        index.verified = exists
        if exists and collection.revision >= self._view.revision:
            try:
                await self._milvus.load(collection.name)
            except CollectionTorn:
                return await self._drop_torn(collection)
            await self.flush(index, collection)
            return False
        held = await self._ledger.hold(collection)
        if held is None:
            return False
        if not exists:
            held = await self._create(index, held)
            index.verified = True
        changes = await self._store.changes(held.revision, BATCH_ITEMS)
        if changes:
            await self._apply(index, held, changes)
            index.collection = replace(held, revision=changes[-1].revision)
            await self._ledger.advance(index.collection)
        return True

    async def _drop_torn(self, collection: Collection) -> bool:
        held = await self._ledger.hold(collection)
        if held is None:
            return False
        logger.warning("%s cannot be read; it is dropped", held.name)
        await self._milvus.drop(held.name)
        return True

    async def _create(self, index: Index, collection: Collection) -> Collection:
        if collection.revision:
            logger.warning("%s is lost; it is made again from the catalogue", collection.name)
        schema = self._view.schema
        columns = sorted(schema)[:ATTRIBUTE_COLUMNS_MAX]
        made = replace(collection, columns=columns, revision=0)
        await self._ledger.advance(made)
        index.collection = made
        await self._milvus.create_collection(
            made.name,
            index.space.dimension,
            scalar_types(schema, columns),
            FLAGS,
            len(self._view.entries),
        )
        return made

    async def _apply(self, index: Index, collection: Collection, changes: Sequence[Change]) -> None:
        vectors = await index.space.vectors_of(changes)
        types = scalar_types(self._view.schema, collection.columns)
        rows = [
            scalar_values(change.item, types, collection.columns)
            | {VECTOR: vectors[change.item_id]}
            for change in changes
            if change.item is not None and change.item_id in vectors
        ]
        gone = [c.item_id for c in changes if c.item is None or c.item_id not in vectors]
        await self._milvus.delete(collection.name, gone)
        for start in range(0, len(rows), UPSERT_ROWS):
            await self._milvus.upsert(collection.name, rows[start : start + UPSERT_ROWS])
        index.unflushed += len(changes)

    async def flush(self, index: Index, collection: Collection) -> None:
        """Flush what was written once it is much: later where nobody searches."""
        quiet = self._courtesy is not None and self._courtesy.quiet()
        if index.unflushed >= (FLUSH_ITEMS_QUIET if quiet else FLUSH_ITEMS):
            await self._milvus.flush(collection.name)
            index.unflushed = 0


def _new_collection(index: Index) -> Collection:
    # The suffix keeps apart what another catalogue made of the same release in this Milvus.
    release = re.sub(r"[^A-Za-z0-9_]", "_", index.release_id)[:200]
    name = f"tandem_{index.space.name}_{release}_{secrets.token_hex(4)}"
    return Collection(index.release_id, index.space.name, name, (), 0)
