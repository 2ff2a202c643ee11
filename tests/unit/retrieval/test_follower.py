"""When new vectors are flushed."""

from typing import Any, cast

import pytest

from retrieval_service.courtesy import Courtesy
from retrieval_service.index.follower import FLUSH_ITEMS, FLUSH_ITEMS_QUIET, Follower, Index
from retrieval_service.index.ledger import Collection

COLLECTION = Collection("release", "text", "text_1", (), 7)


class Flushed:
    """A Milvus that only counts."""

    def __init__(self) -> None:
        self.count = 0

    async def flush(self, _name: str) -> None:
        self.count += 1


async def flushed_after(unflushed: int, courtesy: Courtesy | None) -> bool:
    milvus = Flushed()
    nothing = cast(Any, None)
    follower = Follower(nothing, nothing, nothing, cast(Any, milvus), courtesy)
    index = Index("release", nothing, unflushed=unflushed)
    await follower.flush(index, COLLECTION)
    assert index.unflushed == (0 if milvus.count else unflushed)
    return milvus.count == 1


@pytest.mark.parametrize("requests", [True, False])
async def test_what_is_new_is_flushed_early_only_where_requests_search_it(requests: bool) -> None:
    courtesy = Courtesy()
    if requests:
        with courtesy.request():
            pass
    assert not await flushed_after(FLUSH_ITEMS - 1, courtesy)
    assert await flushed_after(FLUSH_ITEMS, courtesy) is requests
    assert await flushed_after(FLUSH_ITEMS_QUIET, courtesy)


async def test_without_knowledge_of_requests_it_is_flushed_early() -> None:
    assert await flushed_after(FLUSH_ITEMS, None)
