"""Over-fetch, subtract, backfill: how a source gets enough candidates that are allowed."""

import time
from collections.abc import Awaitable, Callable, Iterable

from features.neighbours import best_rows
from retrieval_service.index.milvus import LIMIT_MAX
from retrieval_service.sources.query import Float32, Query, Scored

GROWTH = 4


def keep(query: Query, found: Iterable[tuple[str, float]]) -> Scored:
    """Return those that are allowed and have a positive score, at most the query's depth."""
    kept: Scored = []
    for item_id, score in found:
        if score <= 0 or len(kept) == query.depth:
            break
        if query.allowed(item_id):
            kept.append((item_id, score))
    return kept


def keep_best(query: Query, scores: Float32) -> Scored:
    """Return the best of the release's items by scores [items] that were computed for all.

    What is allowed was not known to whoever scored: more and more are looked at until enough are.
    To sort all at once takes several times as long where the catalogue is large.
    """
    item_ids, limit = query.loaded.release.items.item_ids, query.depth + query.over_fetch
    while True:
        rows, best = best_rows(scores, limit)
        found = zip((item_ids[row] for row in rows.tolist()), best.tolist(), strict=True)
        kept = keep(query, found)
        if len(kept) == query.depth or len(rows) < limit:
            return kept
        limit *= GROWTH


async def fill(query: Query, fetch: Callable[[int], Awaitable[Scored]]) -> Scored:
    """Fetch the best by score, more and more of them, until enough are allowed or none is left.

    `fetch(limit)` returns at least the `limit` best, best first, unless there are no more. A round
    is not begun where the time left is likely too short for it; what was found then has to do.
    """
    limit, before = query.depth + query.over_fetch, 0
    while True:
        start = time.monotonic()
        found = await fetch(min(limit, LIMIT_MAX))
        kept = keep(query, found)
        took = time.monotonic() - start
        enough = len(kept) >= query.depth or (found and found[-1][1] <= 0)
        exhausted = len(found) < limit or len(found) <= before
        if enough or exhausted or query.deadline.share(0.5) < took * GROWTH:
            return kept
        limit, before = limit * GROWTH, len(found)
