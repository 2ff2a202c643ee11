"""The list out of what may be shown: limits, as the catalogue knows the items, and pinned items.

Ranking has kept to the limits already. Here they are kept once more, for the check may have dropped
items, others may come from the fallback list, and ranking does not know the pinned ones.
"""

from collections.abc import Mapping

import numpy as np

from features.caps import Cap, Caps, preferred
from features.fresh_share import FreshShare, fresh_since_ms
from features.named_codes import coded
from features.variety import asks_for_kinds
from gateway_service.pins import Pinned, placed
from tandem.v1.candidate_pb2 import RankedItem
from tandem.v1.item_pb2 import Item
from tandem.v1.variety_pb2 import Variety


def arrange(
    fit: list[RankedItem],
    items: Mapping[str, Item],
    pinned: Pinned,
    variety: Variety,
    now_ms: int,
    count: int,
) -> list[RankedItem]:
    """Return the list of up to `count` of the items that may be shown, which are best first.

    items: what the catalogue says of them. What it says nothing of is within every limit.
    """
    standing = [item for item in fit if item.item_id in pinned]
    rest = [item for item in fit if item.item_id not in pinned]
    wanted = count - len(standing)
    if asks_for_kinds(variety):
        rest = _within_limits(standing, rest, items, variety, now_ms, count)
    return placed(rest[:wanted], standing, pinned)


def _within_limits(
    standing: list[RankedItem],
    rest: list[RankedItem],
    items: Mapping[str, Item],
    variety: Variety,
    now_ms: int,
    count: int,
) -> list[RankedItem]:
    """Return the rest as the limits order it beside the items that stand already."""
    known = [items.get(item.item_id, Item()) for item in (*standing, *rest)]
    categories = coded(next(iter(item.categories), "") for item in known).codes
    brands = coded(item.brand for item in known).codes
    fresh = np.array([is_fresh(item, variety, now_ms) for item in known])
    caps = Caps([Cap(categories, variety.category_max), Cap(brands, variety.brand_max)], len(known))
    share = FreshShare(variety.fresh_share, count)
    left = np.arange(len(known)) >= len(standing)
    for place in range(len(standing)):
        caps.take(place)
        share.take(bool(fresh[place]))
    chosen: list[RankedItem] = []
    while left.any() and len(standing) + len(chosen) < count:
        open_ = caps.kept_by(left)
        if share.due(len(standing) + len(chosen)):
            open_ = preferred(open_, fresh)
        place = int(open_.argmax())
        left[place] = False
        caps.take(place)
        share.take(bool(fresh[place]))
        item = rest[place - len(standing)]
        item.selector_shift += place - len(standing) - len(chosen)
        chosen.append(item)
    return chosen


def is_fresh(item: Item, variety: Variety, now_ms: int) -> bool:
    """Return whether an item was created within the age that counts as fresh."""
    if not item.HasField("create_time"):
        return False
    return fresh_since_ms(variety, now_ms) <= item.create_time.ToMilliseconds() <= now_ms
