"""Candidates by the words that their texts share with the user's."""

from retrieval_service.sources.fill import keep_best
from retrieval_service.sources.query import Query, Scored


async def find_lexical(query: Query) -> Scored:
    """Return items of the release by BM25 of the query's words."""
    return keep_best(query, query.loaded.release.word_index.scores(query.said.text))
