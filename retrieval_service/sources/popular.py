"""Candidates that are popular of late, here and now, from memory: there when all else is down."""

import asyncio
import heapq
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
    recent = _by_now(query)
    here_and_now = None
    if popularity.counting != NOTHING:
        here_and_now = popularity.at(query.moment, items, release.rhythms, recent)
    if here_and_now is None and not query.live_counts:
        scores, rows = recent, iter(query.loaded.popular_rows.tolist())
    else:
        scores = recent if here_and_now is None else here_and_now
        rows = _best_first(scores, query.depth + query.over_fetch)
    known = ((items.item_ids[row], float(scores[row])) for row in rows)
    # Of items that are newer than the release it is known how often they were used, not where.
    new = [(i, count) for i, count in query.live_counts.items() if items.row(i) < 0]
    if here_and_now is None:
        yield from heapq.merge(known, sorted(new, key=_score), key=_score)
    else:
        yield from known
    # The others that are newer, the newest first. A copy, as the catalogue may change meanwhile.
    for item_id in reversed(list(view.entries)):
        if items.row(item_id) < 0 and (
            here_and_now is not None or item_id not in query.live_counts
        ):
            yield item_id, 0.0


def _score(pair: tuple[str, float]) -> float:
    return -pair[1]


def _by_now(query: Query) -> Float32:
    """Return the release's recent popularity with what was used since, float32 [items]."""
    items = query.loaded.release.items
    used = [(items.row(item_id), count) for item_id, count in query.live_counts.items()]
    known = [(row, count) for row, count in used if row >= 0]
    if not known:
        return items.recent_popularity
    recent = items.recent_popularity.copy()
    rows, counts = zip(*known, strict=True)
    np.add.at(recent, list(rows), np.array(counts, np.float32))
    return recent


def _best_first(scores: Float32, soon: int) -> Iterator[int]:
    """Yield all rows by their scores [items]; all are sorted only if more than `soon` are taken."""
    best = best_rows(scores, soon)[0].tolist()
    yield from best
    taken = set(best)
    for row in np.argsort(-scores, kind="stable").tolist():
        if row not in taken:
            yield row
