"""Candidates by the words that their texts share with the user's."""

from features.neighbours import best_rows
from retrieval_service.sources.fill import keep
from retrieval_service.sources.query import Query, Scored


async def find_lexical(query: Query) -> Scored:
    """Return items of the release by BM25 of the query's words."""
    items = query.loaded.release.items
    scores = query.loaded.release.word_index.scores(query.said.text)
    # What is allowed is not known to the index: all that share a word are looked at, best first.
    rows, best = best_rows(scores, len(items))
    return keep(
        query, zip((items.item_ids[row] for row in rows.tolist()), best.tolist(), strict=True)
    )
