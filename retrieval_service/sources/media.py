"""Candidates by vectors that items bring along, such as of their images."""

import asyncio

import numpy as np

from features.hits import standardise
from retrieval_service.sources.fill import fill
from retrieval_service.sources.query import Float32, Query, Scored
from retrieval_service.sources.semantic import merge_by_greatest
from serving.stages import NoInput


async def find_media(query: Query) -> Scored:
    """Return the items nearest to the history's mean or to the seed item, in any space.

    By their greatest score over the spaces, each space's cosines standardised over its result.
    """
    spaces = query.loaded.release.items.media
    mean = spaces.mean(query.media_EM, query.weights)
    asked = {
        name: [vector[part] for vector in (mean, query.seed_media) if vector[part].any()]
        for name, part in spaces.parts.items()
    }
    known = {name: np.stack(vectors) for name, vectors in asked.items() if vectors}
    if not known:
        raise NoInput("neither a seed item nor liked items with a vector")
    found = await asyncio.gather(
        *(_of_space(query, name, vectors_QD) for name, vectors_QD in known.items())
    )
    return merge_by_greatest([_standardised(result) for result in found])[: query.depth]


async def _of_space(query: Query, space: str, vectors_QD: Float32) -> Scored:  # noqa: N803
    async def fetch(limit: int) -> Scored:
        result = merge_by_greatest(await query.search(space, vectors_QD, limit))
        return [hit for hit in result if hit[0] != query.seed_item_id]

    return await fill(query, fetch)


def _standardised(result: Scored) -> Scored:
    scores = standardise(np.array([score for _, score in result], np.float32)).tolist()
    return [(item_id, score) for (item_id, _), score in zip(result, scores, strict=True)]
