"""What is popular where and when a list is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.item_table import ItemTable
from features.moment import Moment
from features.places import EARTH_KM, distances_km
from features.rhythms import Rhythms

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
CELL_KM = 5.0
# After so long a use counts half.
HALF_LIFE_MS = 30 * 86_400_000
# Beyond so many times its reach, what is popular elsewhere counts nothing here.
REACHES_MOST = 4.0
# What is popular everywhere counts as much as so many events of the region.
PRIOR_EVENTS = 20.0


@dataclass(frozen=True)
class Counting:
    """What counts in popularity besides the items. reach_km: how far what is done elsewhere counts,
    0 where places do not. region: whether regions by name count, where no place is known. hour:
    what the hour counts, from 0, not at all, to 1. ever: whether an event counts the same however
    long ago it was, everywhere alike.
    """

    reach_km: float = 0.0
    region: bool = False
    hour: float = 0.0
    ever: bool = False


NOTHING = Counting()


@dataclass(frozen=True)
class Popularity:
    """How often items were used by place, events halved for every 30 days before the newest.

    Space is divided into cubes of CELL_KM; those that the Earth's surface goes through are the
    cells, at the poles and the date line as everywhere. centres: float64 [C, 3], unit vectors.
    regions: names of R regions, such as countries. starts: int64 [C + R + 1], where the items of
    each cell, and then of each region, begin in rows: int32 [n], of the item table, and counts:
    float32 [n].
    """

    centres: Float64
    regions: Sequence[str]
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    counts: Float32
    counting: Counting = NOTHING

    def at(
        self, moment: Moment, items: ItemTable, rhythms: Rhythms, recent: Float32 | None = None
    ) -> Float32 | None:
        """Return scores of all items at a moment, float32 [items], the caller's own; None where
        recent popularity is all that counts.

        recent: float32 [items], recent popularity if it is another than the table's by now.
        """
        recent = items.recent_popularity if recent is None else recent
        here = self._here(moment, len(items))
        lifts = rhythms.of_all(moment) if self.counting.hour > 0 else None
        if here is None and lifts is None and not self.counting.ever:
            return None
        scores = items.popularity if self.counting.ever else recent
        if here is not None:
            total = float(scores.sum(dtype=np.float64))
            scores = here + scores * np.float32(PRIOR_EVENTS / max(total, 1e-9))
        if lifts is not None:
            scores = scores * np.exp(np.float32(self.counting.hour) * lifts)
        # A copy: what the user has seen will be struck out.
        return np.array(scores, np.float32)

    def with_counting(self, counting: Counting) -> "Popularity":
        """Return the same, with other things counting."""
        return replace(self, counting=counting)

    def _here(self, moment: Moment, items: int) -> Float32 | None:
        """Return how often items were used where a moment is, float32 [items], if that is known.

        An event counts exp(-distance / reach), from the middle of its cell.
        """
        reach_km = self.counting.reach_km
        if reach_km > 0 and np.isfinite(moment.latitude):
            least = np.cos(min(REACHES_MOST * reach_km / EARTH_KM, np.pi))
            near = np.flatnonzero(self.centres @ moment.point >= least)
            km = distances_km(self.centres[near], moment.point[None])[:, 0]
            return self._sum(near, np.exp(-km / reach_km), items)
        if self.counting.region and moment.region in self.regions:
            place = len(self.centres) + self.regions.index(moment.region)
            return self._sum(np.array([place]), np.ones(1), items)
        return None

    def _sum(self, places: npt.NDArray[np.int64], weights: Float64, items: int) -> Float32:
        """Return the weighted counts of some cells or regions by item, float32 [items]."""
        sizes = self.starts[places + 1] - self.starts[places]
        before = np.cumsum(sizes) - sizes
        at = np.arange(sizes.sum()) + np.repeat(self.starts[places] - before, sizes)
        weighted = np.repeat(weights, sizes) * self.counts[at]
        return np.bincount(self.rows[at], weighted, minlength=items).astype(np.float32)


def everywhere() -> Popularity:
    """Return what is known where nothing is known of places."""
    return Popularity(
        np.zeros((0, 3)), [], np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32)
    )
