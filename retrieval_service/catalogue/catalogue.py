"""What CatalogService does: batches are checked, encoded, stored, and then seen at once."""

from collections.abc import AsyncIterable, Sequence

from retrieval_service.catalogue.checks import LOOKUP_IDS_MAX, UPSERT_ID_BYTES_MAX
from retrieval_service.catalogue.images import Images
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.upsert import Upsert
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.catalogue.view import View
from serving.errors import InvalidField
from serving.validation import check_id, check_integer, check_size
from tandem.v1.catalog_service_pb2 import (
    DeleteItemsResponse,
    ListItemsResponse,
    UpsertItemsRequest,
    UpsertItemsResponse,
)
from tandem.v1.item_pb2 import Item

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1_000
# Eight spaces of 4,096 numbers each would fill a message with a page of 1,000.
VECTOR_PAGE_SIZE_MAX = 100
_AFTER = "after:"


class Catalogue:
    """The catalogue: the store, vectors of texts and images, and the view that follows it."""

    def __init__(self, store: Store, vectors: Vectors, images: Images, view: View) -> None:
        self._store = store
        self._vectors = vectors
        self._images = images
        self._view = view

    async def upsert(self, batches: AsyncIterable[UpsertItemsRequest]) -> UpsertItemsResponse:
        """Store batches in their order, each on disk before the next one; sum them up."""
        total = await Upsert(self._store, self._vectors, self._images).run(batches)
        # Not for each batch: a long upsert would have the view read back what it still sends.
        await self._view.refresh()
        return total

    async def progress(self, upsert_id: str) -> int:
        """Return the number of the last batch of an upsert that is on disk."""
        check_id("upsert_id", upsert_id, bytes_max=UPSERT_ID_BYTES_MAX)
        return await self._store.progress(upsert_id)

    async def delete(self, item_ids: Sequence[str]) -> DeleteItemsResponse:
        """Delete items."""
        _check_ids(item_ids)
        count, revision = await self._store.delete(item_ids)
        await self._view.refresh()
        return DeleteItemsResponse(deleted_count=count, revision=revision)

    async def get(self, item_ids: Sequence[str]) -> list[Item]:
        """Return the items that exist, in the order asked."""
        _check_ids(item_ids)
        return await self._store.get(item_ids)

    async def page(
        self, page_size: int, page_token: str, *, with_vectors: bool = False
    ) -> ListItemsResponse:
        """Return a page of the catalogue."""
        check_integer("page_size", page_size, low=0, high=PAGE_SIZE_MAX)
        if page_token and not page_token.startswith(_AFTER):
            raise InvalidField("page_token", "must be the next_page_token of the page before")
        size = page_size or PAGE_SIZE_DEFAULT
        if with_vectors:
            size = min(size, VECTOR_PAGE_SIZE_MAX)
        after = page_token.removeprefix(_AFTER)
        items, total = await self._store.page(after, size + 1, with_vectors=with_vectors)
        response = ListItemsResponse(items=items[:size], total_count=total)
        if len(items) > size:
            response.next_page_token = _AFTER + items[size - 1].item_id
        return response


def _check_ids(item_ids: Sequence[str]) -> None:
    check_size("item_ids", item_ids, low=1, high=LOOKUP_IDS_MAX)
    for index, item_id in enumerate(item_ids):
        check_id(f"item_ids[{index}]", item_id)
