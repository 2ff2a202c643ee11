"""Candidates that are popular of late, here and now, from memory: there when all else is down."""

import asyncio
from collections.abc import Iterator

import numpy as np

from features.neighbours import best_rows
from features.popularity import NOTHING
from retrieval_service.catalogue.view import View
from retrieval_service.sources.query import Float32, Query, Scored

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
    release = query.loaded.release
    items, popularity = release.items, release.popularity
    here_and_now = None
    if popularity.counting != NOTHING:
        here_and_now = popularity.at(query.moment, items, release.rhythms)
    if here_and_now is None:
        scores, rows = items.recent_popularity, iter(query.loaded.popular_rows.tolist())
    else:
        scores, rows = here_and_now, _best_first(here_and_now, query.depth + query.over_fetch)
    for row in rows:
        yield items.item_ids[row], float(scores[row])
    # Newer than the release, the newest first. A copy, as the catalogue may change meanwhile.
    for item_id in reversed(list(view.entries)):
        if items.row(item_id) < 0:
            yield item_id, 0.0


def _best_first(scores: Float32, soon: int) -> Iterator[int]:
    """Yield all rows by their scores [items]; all are sorted only if more than `soon` are taken."""
    best = best_rows(scores, soon)[0].tolist()
    yield from best
    taken = set(best)
    for row in np.argsort(-scores, kind="stable").tolist():
        if row not in taken:
            yield row
