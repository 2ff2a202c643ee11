"""Candidates by the interest tags that the user's words were understood as."""

from collections.abc import Awaitable

from features.tags import lifted_by_popularity
from retrieval_service.sources.fill import keep_best
from retrieval_service.sources.query import Query, Scored
from tandem.v1.user_pb2 import InterestTag


async def find_tags(query: Query, interests: Awaitable[list[InterestTag]]) -> Scored:
    """Return items of the release by how much they have of the tags, rare tags first."""
    items, tags = query.loaded.release.items, query.loaded.release.tags
    scores = lifted_by_popularity(tags.scores(tags.asked(await interests)), items.popularity)
    return keep_best(query, scores)
