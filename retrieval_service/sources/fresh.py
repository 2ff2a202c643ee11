"""Items that are newer than the release, newest first: nobody could have learned who wants them."""

from itertools import islice

from retrieval_service.catalogue.view import Entry
from retrieval_service.sources.query import Query, Scored

# Entries are in the order of their making, so that what is new is at the end. Beyond so many, what
# is new has been there for a while.
LOOKED_AT = 2_000


async def find_fresh(query: Query, entries: dict[str, Entry]) -> Scored:
    """Return items that the release does not hold. Their scores say nothing: they are all 1."""
    items = query.loaded.release.items
    found = (
        item_id
        for item_id in islice(reversed(entries), LOOKED_AT)
        if items.row(item_id) < 0 and query.allowed(item_id)
    )
    return [(item_id, 1.0) for item_id in islice(found, query.depth)]
