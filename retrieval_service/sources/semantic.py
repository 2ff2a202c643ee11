"""Candidates by meaning: items whose texts are like the words, or like the items of late."""

from collections.abc import Awaitable

import numpy as np

from retrieval_service.index.spaces import TEXT
from retrieval_service.sources.fill import fill
from retrieval_service.sources.query import Float32, Query, Scored
from serving.stages import NoInput


async def find_semantic(query: Query, words: Awaitable[Float32 | None]) -> Scored:
    """Return items by the greater of their texts' cosines to the words and to the history's mean.

    The one to the words is multiplied by how much these count. words: their vector, float32 [D],
    None if there are none or they were not encoded.
    """
    asked = [(query.history_mean(), 1.0), (await words, query.words_weight)]
    known = [(vector, weight) for vector, weight in asked if vector is not None and vector.any()]
    if not known:
        raise NoInput("neither a vector of words nor liked items")
    queries_QD = np.stack([vector for vector, _ in known])  # noqa: N806

    async def fetch(limit: int) -> Scored:
        results = await query.search(TEXT, queries_QD, limit)
        return merge_by_greatest(
            [
                [(item_id, score * weight) for item_id, score in result]
                for result, (_, weight) in zip(results, known, strict=True)
            ]
        )

    return await fill(query, fetch)


def merge_by_greatest(results: list[Scored]) -> Scored:
    """Return the items of several results, each with its greatest score, best first."""
    if len(results) == 1:
        return results[0]
    best: dict[str, float] = {}
    for item_id, score in (hit for result in results for hit in result):
        if score > best.get(item_id, -np.inf):
            best[item_id] = score
    return sorted(best.items(), key=lambda hit: -hit[1])
