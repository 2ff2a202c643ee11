"""Candidates that friends of the user used lately."""

import numpy as np

from retrieval_service.sources.fill import keep
from retrieval_service.sources.query import Query, Scored


async def find_friends(query: Query) -> Scored:
    """Return what friends used, by how much they did; items newer than the release too."""
    item_ids = list(query.friends_items)
    weights = np.fromiter(query.friends_items.values(), np.float32, len(item_ids))
    rows = query.loaded.release.items.rows(item_ids)
    # Of equal weight as in training: by row, and what the release does not hold comes last.
    order = np.lexsort((np.where(rows < 0, len(query.loaded.release.items), rows), -weights))
    return keep(query, ((item_ids[place], float(weights[place])) for place in order.tolist()))
