"""What became of one item in retrieval, for whoever asks why it is not in a list."""

from collections.abc import Collection, Sequence

from retrieval_service.sources.query import Query
from tandem.v1.candidate_pb2 import Candidate
from tandem.v1.item_fate_pb2 import Fate, ItemTrace


def trace_of(
    item_id: str,
    query: Query,
    unwanted: Collection[str],
    every: Sequence[Candidate],
    candidates: Sequence[Candidate],
) -> ItemTrace:
    """Return why an item is no candidate, or that it is one.

    unwanted: what is nearly the same as a dismissed item. every: all that was found, best first.
    """
    if fate := query.fate(item_id):
        return ItemTrace(fate=fate)
    if item_id in unwanted:
        return ItemTrace(fate=Fate.FATE_LIKE_DISMISSED)
    place = next((n for n, found in enumerate(every) if found.item_id == item_id), None)
    if place is None:
        return ItemTrace(fate=Fate.FATE_NOT_FOUND)
    chosen = any(candidate.item_id == item_id for candidate in candidates)
    fate = Fate.FATE_UNSPECIFIED if chosen else Fate.FATE_NOT_A_CANDIDATE
    return ItemTrace(fate=fate, place=place + 1, hits=every[place].hits)
