"""Candidates that are popular of late, from memory: they are there when all else is down."""

import asyncio
from collections.abc import Iterator

from retrieval_service.catalogue.view import View
from retrieval_service.sources.query import Query, Scored

# A filter that shuts out nearly everything makes this a walk through the whole catalogue: others
# get their turn after so many items, and what was found in half of the time left has to do.
_AT_ONCE = 1_000
_SHARE = 0.5


async def find_popular(query: Query, view: View) -> Scored:
    """Return items by recent popularity, and then, with score 0, whatever else there is."""
    kept: Scored = []
    time_left_at_end = query.deadline.share(1.0 - _SHARE)
    for place, (item_id, score) in enumerate(_by_popularity(query, view)):
        if len(kept) == query.depth:
            break
        if query.allowed(item_id):
            kept.append((item_id, score))
        if place % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
            if query.deadline.remaining() < time_left_at_end:
                break
    return kept


def _by_popularity(query: Query, view: View) -> Iterator[tuple[str, float]]:
    items = query.loaded.release.items
    for row in query.loaded.popular_rows.tolist():
        yield items.item_ids[row], float(items.recent_popularity[row])
    # Newer than the release, the newest first. A copy, as the catalogue may change meanwhile.
    for item_id in reversed(list(view.entries)):
        if items.row(item_id) < 0:
            yield item_id, 0.0
