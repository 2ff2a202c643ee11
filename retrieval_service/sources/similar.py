"""Candidates that people with the seed item, or with the history's items, have as well."""

import numpy as np

from features.neighbours import Rows
from retrieval_service.index.spaces import TEXT
from retrieval_service.sources.fill import fill, keep
from retrieval_service.sources.query import Float32, Query, Scored
from retrieval_service.sources.semantic import merge_by_greatest
from serving.stages import NoInput

# Of items that the release does not know, how many of the newest are searched by their texts.
UNKNOWN_MAX = 10


async def find_similar(query: Query) -> Scored:
    """Return items by their neighbourhood to the seed item, without one to the liked items.

    Where the release knows none of these, items whose texts are like theirs.
    """
    if query.seed_item_id:
        row = query.loaded.release.items.row(query.seed_item_id)
        if kept := _neighbours(query, np.array([row], np.int32), np.ones(1, np.float32)):
            return kept
        if query.seed_vector is None:
            raise NoInput("the seed item is known neither to the release nor to the catalogue")
        return await _like_texts(query, query.seed_vector[None, :])
    liked = query.weights > 0
    if not liked.any():
        raise NoInput("neither a seed item nor liked items")
    if (query.rows[liked] >= 0).any():
        return _neighbours(query, query.rows, query.weights)
    vectors_ED = query.vectors_ED[liked][-UNKNOWN_MAX:]  # noqa: N806
    known_ED = vectors_ED[vectors_ED.any(axis=1)]  # noqa: N806
    if not len(known_ED):
        raise NoInput("no liked item that the release or the catalogue knows")
    return await _like_texts(query, known_ED)


def _neighbours(query: Query, rows: Rows, weights: Float32) -> Scored:
    release = query.loaded.release
    found, scores = release.neighbours.query(rows, weights, len(release.items))
    ids = map(release.items.item_ids.__getitem__, found.tolist())
    return keep(query, zip(ids, scores.tolist(), strict=True))


async def _like_texts(query: Query, vectors_QD: Float32) -> Scored:  # noqa: N803
    own = {query.seed_item_id, *query.item_ids}

    async def fetch(limit: int) -> Scored:
        found = merge_by_greatest(await query.search(TEXT, vectors_QD, limit))
        return [hit for hit in found if hit[0] not in own]

    return await fill(query, fetch)
