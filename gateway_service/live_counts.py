"""How often items are used since the releases learned: what is popular now counts at once."""

import heapq
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from features.history import weights_of_actions
from features.popularity import HALF_LIFE_MS
from features.release import Release
from gateway_service.store.database import Database
from gateway_service.store.uses import Use, uses_after
from serving.errors import StorageUnavailable
from tandem.v1.common_pb2 import ItemCount

logger = logging.getLogger(__name__)
# Where a release has learned of nothing but long ago, what is used now outweighs all of it anyway.
DOUBLINGS_MOST = 20.0
# What travels with each request: those that are used most.
MOST = 256


@dataclass
class _Counts:
    """Counts of one release, and the newest event that is in them or too old for them."""

    sequence: int = 0
    by_item: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    top: list[ItemCount] | None = None


class LiveCounts:
    """Counts for each held release what was used since its newest event.

    As in training a use counts half for every 30 days that it is older; by the release's own clock,
    so that what is newer than it counts more than one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._of: dict[str, _Counts] = {}

    async def refresh(self, releases: list[Release]) -> None:
        """Read what was stored since the last look, by this gateway or another one.

        Where the database does not answer, that is logged: lists do without the newest counts.
        """
        self._of = {r.release_id: self._of.get(r.release_id, _Counts()) for r in releases}
        for release in releases:
            counts = self._of[release.release_id]
            try:
                while await self._read(counts, release.newest_event_ms):
                    pass
            except StorageUnavailable as error:
                logger.warning("what is popular now cannot be counted: %s", error)

    async def _read(self, counts: _Counts, newest_ms: int) -> bool:
        """Add the next events; return whether there may be more."""
        after = counts.sequence
        work = partial(uses_after, sequence=after, since_us=newest_ms * 1_000)
        uses, last = await self._database.read(work)
        # Another look may have read the same meanwhile.
        if counts.sequence == after and last > after:
            counts.sequence = last
            _add(counts, uses, newest_ms)
        return last > after

    def top(self, release_id: str) -> list[ItemCount]:
        """Return the items that were used most, most first, at most MOST."""
        counts = self._of.get(release_id)
        if counts is None:
            return []
        if counts.top is None:
            best = heapq.nlargest(MOST, counts.by_item.items(), key=lambda pair: pair[1])
            counts.top = [ItemCount(item_id=item_id, count=count) for item_id, count in best]
        return counts.top

    def of_items(self, release_id: str, item_ids: list[str]) -> list[ItemCount]:
        """Return the counts of some items, without those that were not used."""
        counts = self._of.get(release_id)
        by_item = counts.by_item if counts is not None else {}
        return [ItemCount(item_id=i, count=by_item[i]) for i in item_ids if i in by_item]


def _add(counts: _Counts, uses: list[Use], newest_ms: int) -> None:
    if not uses:
        return
    actions = np.array([use.action for use in uses], np.int32)
    for use, weight in zip(uses, weights_of_actions(actions).tolist(), strict=True):
        if weight > 0:
            age = use.event_time_us / 1_000 - newest_ms
            counts.by_item[use.item_id] += 2.0 ** min(age / HALF_LIFE_MS, DOUBLINGS_MOST)
    counts.top = None
