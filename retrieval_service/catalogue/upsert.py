"""One upsert: batches in, each on disk in its turn, the next ones encoded meanwhile."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Sequence
from typing import Any

from retrieval_service.catalogue.checks import check_batch
from retrieval_service.catalogue.images import Images
from retrieval_service.catalogue.records import Draft, NewVector, draft_of
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.vectors import Vectors
from tandem.v1.catalog_service_pb2 import UpsertItemsRequest, UpsertItemsResponse

# While a batch ends at the encoder and is written, the next ones keep the encoder busy.
BATCHES_AHEAD = 3
# Of a batch that are serialised before others have the event loop.
DRAFTS_AT_ONCE = 50


class Upsert:
    """Stores the batches of one call in their order, each on disk before the next is written."""

    def __init__(self, store: Store, vectors: Vectors, images: Images) -> None:
        self._store = store
        self._vectors = vectors
        self._images = images
        self._last: asyncio.Task[UpsertItemsResponse] | None = None

    async def run(self, batches: AsyncIterable[UpsertItemsRequest]) -> UpsertItemsResponse:
        """Store all batches and sum them up. Those before one that fails are stored."""
        total = UpsertItemsResponse(revision=await self._store.revision())
        source = aiter(batches)
        working: deque[asyncio.Task[UpsertItemsResponse]] = deque()
        reading: asyncio.Future[UpsertItemsRequest | None] | None = None
        ended = False
        try:
            while working or not ended:
                if reading is None and not ended and len(working) < BATCHES_AHEAD:
                    reading = asyncio.ensure_future(anext(source, None))
                waiting: list[asyncio.Future[Any]] = []
                waiting += list(working)[:1]
                if reading is not None:
                    waiting.append(reading)
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if working and working[0].done():
                    _add(total, working.popleft().result())
                if reading and reading.done():
                    batch, reading = reading.result(), None
                    ended = batch is None
                    if batch is not None:
                        self._last = asyncio.create_task(self._batch(batch, self._last))
                        working.append(self._last)
        finally:
            left = [task for task in (*working, reading) if task is not None]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        return total

    async def _batch(
        self, batch: UpsertItemsRequest, before: asyncio.Task[UpsertItemsResponse] | None
    ) -> UpsertItemsResponse:
        check_batch(batch)
        if batch.upsert_id and batch.batch_number <= await self._store.progress(batch.upsert_id):
            return UpsertItemsResponse(revision=await self._store.revision())
        last_of_id = {item.item_id: item for item in batch.items}
        await self._images.into_vectors(last_of_id.values())
        drafts: list[Draft] = []
        for item in last_of_id.values():
            drafts.append(draft_of(item))
            if len(drafts) % DRAFTS_AT_ONCE == 0:
                await asyncio.sleep(0)
        # What the batch before changes is not seen yet: a text that turns out to be needed then is
        # encoded by the indexer.
        changed = await self._store.changed(drafts)
        new, cut = await self._encode(changed)
        if before is not None:
            await asyncio.shield(before)
        written = await self._store.write_batch(drafts, new, batch.upsert_id, batch.batch_number)
        return UpsertItemsResponse(
            written_count=written.written,
            unchanged_count=written.unchanged,
            truncated_text_count=sum(draft.text_hash in cut for draft in changed),
            revision=written.revision,
        )

    async def _encode(self, changed: Sequence[Draft]) -> tuple[list[NewVector], set[str]]:
        texts = {draft.text_hash: draft.text for draft in changed if draft.text}
        return await self._vectors.encode_for_upsert(texts)


def _add(total: UpsertItemsResponse, done: UpsertItemsResponse) -> None:
    total.written_count += done.written_count
    total.unchanged_count += done.unchanged_count
    total.truncated_text_count += done.truncated_text_count
    total.revision = done.revision
