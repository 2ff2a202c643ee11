"""The catalogue in memory: what filters and checks of candidates need of every item."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from features.ids import item_hash
from features.policy import FREE, NO_POLICY, Policy, Verdict
from retrieval_service.catalogue.places import Places
from retrieval_service.catalogue.records import Change
from retrieval_service.catalogue.store import Store
from serving.errors import StorageUnavailable
from tandem.v1.item_pb2 import Item

logger = logging.getLogger(__name__)
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An item without its description; the hash of its text; the hash of its id, as in SeenItems.

    The description may have 64 KiB and nothing here reads it.
    """

    item: Item
    text_hash: str
    id_hash: int


class View:
    """Follows the revisions of the database, so that all copies of the service agree.

    entries: by item id. places: of those that have one. schema: type by attribute name. revision:
    how far the view has come. policy: the safety policy; verdicts: what it says of those items that
    it does not leave free, by item id.
    """

    def __init__(self, store: Store, policy: Policy = NO_POLICY) -> None:
        self._store = store
        self._one_at_a_time = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []
        self.entries: dict[str, Entry] = {}
        self.places = Places()
        self.schema: Mapping[str, str] = {}
        self.revision = 0
        self.policy = policy
        self.verdicts: dict[str, Verdict] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function whenever the catalogue has changed."""
        self._listeners.append(listener)

    async def refresh(self) -> None:
        """Apply what has been written up to now."""
        async with self._one_at_a_time:
            before = self.revision
            while changes := await self._store.changes(self.revision, _AT_ONCE):
                # The schema is read after the items, so that it covers all of them.
                self.schema = await self._store.schema()
                verdicts = await _judged(self.policy, changes)
                for change in changes:
                    self._apply(change)
                    self.verdicts.pop(change.item_id, None)
                self.verdicts.update(verdicts)
                self.revision = changes[-1].revision
            if self.revision > before:
                for listener in self._listeners:
                    listener()

    async def enforce(self, policy: Policy) -> None:
        """Judge the whole catalogue by another policy, then put it in force at once.

        Descriptions are not kept, so everything is read again. What is written meanwhile is seen
        when that is done.
        """
        async with self._one_at_a_time:
            verdicts: dict[str, Verdict] = {}
            done = 0
            while changes := await self._store.changes(done, _AT_ONCE):
                verdicts |= await _judged(policy, changes)
                done = changes[-1].revision
            self.policy, self.verdicts = policy, verdicts

    async def follow(self, interval_s: float) -> None:
        """Refresh for ever: other copies of the service write, too."""
        while True:
            try:
                await self.refresh()
            except StorageUnavailable:
                logger.warning("the view of the catalogue stays at revision %d", self.revision)
            except Exception:
                logger.exception("the view of the catalogue could not be refreshed")
            await asyncio.sleep(interval_s)

    def _apply(self, change: Change) -> None:
        if change.item is None:
            self.entries.pop(change.item_id, None)
            self.places.remove(change.item_id)
            return
        item = change.item
        item.ClearField("description")
        self.places.put(item)
        self.entries[change.item_id] = Entry(item, change.text_hash, item_hash(change.item_id))


async def _judged(policy: Policy, changes: Sequence[Change]) -> dict[str, Verdict]:
    """Return the verdicts on items that are not free, by item id."""
    if not policy.rule_count:
        return {}

    def work() -> dict[str, Verdict]:
        items = (change.item for change in changes if change.item is not None)
        judged = {item.item_id: policy.judge(item) for item in items}
        return {item_id: verdict for item_id, verdict in judged.items() if verdict is not FREE}

    # Thousands of texts take a part of a second, which requests should not wait for.
    return await asyncio.to_thread(work)
