"""Items that the caller gives a place in the list."""

from collections.abc import Iterable, Mapping

from tandem.v1 import candidate_pb2
from tandem.v1.candidate_pb2 import RankedItem, Reason
from tandem.v1.recommender_service_pb2 import RecommendRequest

Pinned = Mapping[str, int]


def pinned_items(request: RecommendRequest, count: int) -> dict[str, int]:
    """Return the place in a list of `count`, from 1, of each item that is pinned in it.

    An item that the same caller excludes is not.
    """
    excluded = set(request.excluded_item_ids)
    return {
        pin.item_id: pin.position
        for pin in request.pins
        if pin.position <= count and pin.item_id not in excluded
    }


def with_pinned(ranked: list[RankedItem], pinned: Pinned) -> list[RankedItem]:
    """Return the ranked items, before them those pinned ones that were not ranked.

    Nothing is known of these yet: they have no score and no hits.
    """
    known = {item.item_id for item in ranked}
    return [*(RankedItem(item_id=name) for name in pinned if name not in known), *ranked]


def placed(
    rest: list[RankedItem], pinned: Iterable[RankedItem], places: Pinned
) -> list[RankedItem]:
    """Return the list with its pinned items in their places, or at its end where it ends before."""
    slate = list(rest)
    for item in sorted(pinned, key=lambda item: places[item.item_id]):
        item.selector_shift = 0
        weight = max([1.0, *(reason.weight for reason in item.reasons)])
        item.reasons.insert(0, Reason(kind=candidate_pb2.REASON_KIND_PINNED, weight=weight))
        slate.insert(places[item.item_id] - 1, item)
    return slate
