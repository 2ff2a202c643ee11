"""Category, brand and age of candidates: as they are now, else as the release knows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.caps import Cap
from features.fresh_share import fresh_since_ms
from features.item_table import ItemTable
from features.variety import asks_for_kinds
from tandem.v1.item_pb2 import Item
from tandem.v1.variety_pb2 import Variety


@dataclass(frozen=True)
class Kinds:
    """What limits look at, of n candidates.

    caps: those that are kept longest first. fresh: bool [n]. fresh_share: the least share of them.
    """

    caps: Sequence[Cap]
    fresh: npt.NDArray[np.bool_]
    fresh_share: float = 0.0

    @property
    def limited(self) -> bool:
        """Whether anything is asked of the kinds."""
        return self.fresh_share > 0 or any(cap.most > 0 for cap in self.caps)

    def take(self, places: npt.NDArray[np.intp]) -> "Kinds":
        """Return those of some candidates, in the given order."""
        caps = [Cap(cap.codes[places], cap.most) for cap in self.caps]
        return Kinds(caps, self.fresh[places], self.fresh_share)


def kinds_of(
    items: ItemTable,
    item_ids: Sequence[str],
    changed: Mapping[str, Item],
    variety: Variety,
    now_ms: int,
) -> Kinds:
    """Look up the kinds of candidates, as far as anything asks for them.

    changed: items that are newer than the release or changed since, by id.
    """
    nothing = np.zeros(len(item_ids), np.bool_)
    if not asks_for_kinds(variety):
        return Kinds([], nothing)
    rows = items.rows(item_ids)
    now = {place: changed[name] for place, name in enumerate(item_ids) if name in changed}
    categories = {place: next(iter(item.categories), "") for place, item in now.items()}
    brands = {place: item.brand for place, item in now.items()}
    created_ms = np.full(len(rows), -1, np.int64)
    created_ms[rows >= 0] = items.create_time_ms[rows[rows >= 0]]
    for place, item in now.items():
        known = item.HasField("create_time")
        created_ms[place] = item.create_time.ToMilliseconds() if known else -1
    since_ms = fresh_since_ms(variety, now_ms)
    return Kinds(
        [
            Cap(items.category.of_rows(rows, categories), variety.category_max),
            Cap(items.brand.of_rows(rows, brands), variety.brand_max),
        ],
        (created_ms >= since_ms) & (created_ms <= now_ms) & (created_ms >= 0),
        variety.fresh_share,
    )
