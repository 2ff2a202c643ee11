"""Candidates by what they share with the items that the user liked."""

from features.tags import lifted_by_popularity
from retrieval_service.sources.fill import keep_best
from retrieval_service.sources.query import Query, Scored
from serving.stages import NoInput


async def find_graph(query: Query) -> Scored:
    """Return items of the release by the entities of the history's liked items, rare ones first."""
    release = query.loaded.release
    liked = release.entities.liked(query.rows, query.weights)
    if not liked.any():
        raise NoInput("no liked item that is linked with anything")
    scores = lifted_by_popularity(release.entities.scores(liked), release.items.popularity)
    scores[query.rows[query.rows >= 0]] = 0.0
    return keep_best(query, scores)
