"""Whoever cancels a call of Milvus is obeyed, though its client forgets some cancellations."""

import asyncio

import pytest
from pymilvus import MilvusException

from retrieval_service.index.milvus import Milvus


@pytest.mark.parametrize("failure", [None, MilvusException(message="down")])
async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(
    failure: Exception | None,
) -> None:
    milvus = Milvus("http://127.0.0.1:1")
    answer: asyncio.Future[set[str]] = asyncio.get_running_loop().create_future()
    # As pymilvus calls its server.
    milvus._client.list_collections = lambda **_: asyncio.wait_for(answer, 5.0)  # type: ignore[method-assign]
    asking = asyncio.create_task(milvus.collections())
    await asyncio.sleep(0.01)
    if failure is None:
        answer.set_result(set())
    else:
        answer.set_exception(failure)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await milvus.close()
