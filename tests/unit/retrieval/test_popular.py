"""Popular items, of everywhere or of here and now, whatever a filter shuts out."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType, SimpleNamespace

import numpy as np

from features.moment import Moment
from features.popularity import Counting, Popularity, everywhere
from features.rhythms import BINS, Rhythms
from retrieval_service.sources.popular import find_popular
from tests.unit.retrieval.test_sources import query

ITEMS = 3_000
# 1970-01-01 08:00 UTC, a Thursday.
MORNING = Moment(8 * 3_600_000)


class Items:
    """As much of an item table as popularity reads: items of higher number are less popular."""

    item_ids = tuple(f"i{n}" for n in range(ITEMS))
    recent_popularity = np.arange(ITEMS, 0, -1).astype(np.float32)

    def __len__(self) -> int:
        return ITEMS

    def row(self, item_id: str) -> int:
        return int(item_id[1:]) if item_id[1:].isdigit() else -1


def rhythms() -> Rhythms:
    """Return rhythms in which every hundredth item belongs to the morning."""
    lifts = np.zeros((ITEMS, BINS), np.float16)
    lifts[::100, 8] = 3.0
    return Rhythms(lifts, np.zeros((2, BINS), np.float32), np.zeros(BINS, np.float32))


def loaded(popularity: Popularity) -> SimpleNamespace:
    release = SimpleNamespace(items=Items(), popularity=popularity, rhythms=rhythms())
    return SimpleNamespace(release=release, popular_rows=np.arange(ITEMS))


def view(*new: str) -> SimpleNamespace:
    return SimpleNamespace(entries=dict.fromkeys((*Items.item_ids, *new)))


async def found(
    popularity: Popularity,
    depth: int,
    *,
    from_row: int = 0,
    live: Mapping[str, float] = MappingProxyType({}),
) -> list[tuple[str, float]]:
    """Ask in the morning; items below a row are shut out."""
    asked = replace(
        query(lambda item_id: not item_id[1:].isdigit() or int(item_id[1:]) >= from_row, depth),
        loaded=loaded(popularity),
        moment=MORNING,
        live_counts=live,
    )
    return await find_popular(asked, view("new", "newer"))  # type: ignore[arg-type]


async def test_where_neither_place_nor_hour_counts_the_popular_are_those_of_everybody() -> None:
    assert await found(everywhere(), 3) == [("i0", 3000.0), ("i1", 2999.0), ("i2", 2998.0)]
    last = await found(everywhere(), 4, from_row=ITEMS - 2)
    assert last == [("i2998", 2.0), ("i2999", 1.0), ("newer", 0.0), ("new", 0.0)]


async def test_what_is_used_now_counts_with_what_was_used_before() -> None:
    live = {"i7": 8.0, "new": 2999.5, "gone": 1.0}
    best = await found(everywhere(), 5, live=live)
    assert best == [("i7", 3001.0), ("i0", 3000.0), ("new", 2999.5), ("i1", 2999.0), ("i2", 2998.0)]
    everything = await found(everywhere(), ITEMS + 10, live=live)
    assert len({item_id for item_id, _ in everything}) == len(everything)
    assert everything[-1] == ("newer", 0.0)
    at_this_hour = await found(
        everywhere().with_counting(Counting(hour=1.0)), 2, live={"i100": 500}
    )
    assert [item_id for item_id, _ in at_this_hour] == ["i100", "i0"]


async def test_what_is_wanted_at_this_hour_goes_first() -> None:
    best = await found(everywhere().with_counting(Counting(hour=1.0)), 5)
    assert [item_id for item_id, _ in best] == ["i0", "i100", "i200", "i300", "i400"]


async def test_however_much_is_shut_out_all_that_is_left_is_found_once_and_in_order() -> None:
    rest = await found(everywhere().with_counting(Counting(hour=1.0)), 1_000, from_row=2_500)
    ids = [item_id for item_id, _ in rest]
    assert len(ids) == len(set(ids)) == 502
    assert ids[:5] == ["i2500", "i2600", "i2700", "i2800", "i2900"]
    scores = [score for _, score in rest]
    assert scores == sorted(scores, reverse=True)
    assert ids[-2:] == ["newer", "new"]
