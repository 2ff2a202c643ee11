"""Candidates by the interest tags that the user's words were understood as."""

from collections.abc import Awaitable

from features.neighbours import best_rows
from features.tags import ranked_by_tags
from retrieval_service.sources.fill import keep
from retrieval_service.sources.query import Query, Scored
from tandem.v1.user_pb2 import InterestTag


async def find_tags(query: Query, interests: Awaitable[list[InterestTag]]) -> Scored:
    """Return items of the release by how much they have of the tags, rare tags first."""
    items, tags = query.loaded.release.items, query.loaded.release.tags
    scores = ranked_by_tags(tags.scores(tags.asked(await interests)), items.popularity)
    # What is allowed is not known here: all that have a tag are looked at, best first.
    rows, best = best_rows(scores, len(items))
    return keep(
        query, zip((items.item_ids[row] for row in rows.tolist()), best.tolist(), strict=True)
    )
