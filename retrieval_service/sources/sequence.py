"""Candidates by the user tower: the items nearest to where the sequence of events points."""

from collections.abc import Awaitable

from retrieval_service.index.spaces import TOWER
from retrieval_service.sources.fill import fill
from retrieval_service.sources.query import Float32, Query, Scored
from serving.stages import NoInput


async def find_sequence(query: Query, user_vector: Awaitable[Float32 | None]) -> Scored:
    """Return items by the inner product of their vector and the user's.

    user_vector: float32 [W], None without history.
    """
    vector = await user_vector
    if vector is None:
        raise NoInput("no history")

    async def fetch(limit: int) -> Scored:
        return (await query.search(TOWER, vector[None, :], limit))[0]

    return await fill(query, fetch)
