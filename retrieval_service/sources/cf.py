"""Candidates by collaborative filtering: the user's factor, folded in from history."""

from retrieval_service.index.spaces import CF
from retrieval_service.sources.fill import fill
from retrieval_service.sources.query import Query, Scored
from serving.stages import NoInput


async def find_cf(query: Query) -> Scored:
    """Return items by the inner product of their factor and the user's."""
    factor = query.loaded.release.cf.fold_in(query.rows, query.action_weights)
    if not factor.any():
        raise NoInput("no liked item that the release knows")

    async def fetch(limit: int) -> Scored:
        return (await query.search(CF, factor[None, :], limit))[0]

    return await fill(query, fetch)
