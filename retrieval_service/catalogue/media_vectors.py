"""Finds what the catalogue's items brought along where the release has something else."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from features.item_table import ItemTable
from features.item_vectors import NO_VECTOR
from retrieval_service.catalogue.media import hash_of, version_of
from retrieval_service.catalogue.store import Store
from tandem.v1.item_pb2 import Item

Float32 = npt.NDArray[np.float32]
_CACHED_MAX = 4_000


class MediaVectors:
    """Finds vectors by their hash, in memory or in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cached: dict[tuple[str, str], Float32] = {}

    async def changed(
        self, table: ItemTable, space: str, items: Mapping[str, Item]
    ) -> dict[str, Float32]:
        """Return the vectors, float32 [width], of stored items that a release has otherwise.

        table: the release's. Left out are vectors of another width than the release's.
        """
        of_release = table.media.hashes[space]
        wanted: dict[str, str] = {}
        for item_id, item in items.items():
            key, row = hash_of(item, space), table.row(item_id)
            if key != NO_VECTOR and (row < 0 or of_release[row] != key):
                wanted[item_id] = key
        found = await self._find(space, set(wanted.values()))
        width = table.media.widths[space]
        return {
            item_id: found[key]
            for item_id, key in wanted.items()
            if key in found and len(found[key]) == width
        }

    async def present(
        self, table: ItemTable, space: str, items: Mapping[str, Item]
    ) -> dict[str, Float32]:
        """Return the vectors, float32 [width], of stored items: their own, else the release's."""
        own = await self.changed(table, space, items)
        released = table.media.spaces[space]
        for item_id in items.keys() - own.keys():
            row = table.row(item_id)
            if row >= 0 and released[row].any():
                own[item_id] = released[row].astype(np.float32)
        return own

    async def joined(self, table: ItemTable, items: Mapping[str, Item]) -> Float32:
        """Return the joined vectors of stored items, float32 [items, M]."""
        joined = np.zeros((len(items), table.media.width), np.float32)
        for space, part in table.media.parts.items():
            found = await self.present(table, space, items)
            for place, item_id in enumerate(items):
                if item_id in found:
                    joined[place, part] = found[item_id]
        return joined

    async def _find(self, space: str, keys: set[str]) -> dict[str, Float32]:
        found = {key: self._cached[space, key] for key in keys if (space, key) in self._cached}
        unknown: Sequence[str] = sorted(keys - found.keys())
        if unknown:
            for key, (raw, _) in (await self._store.vectors(version_of(space), unknown)).items():
                found[key] = np.frombuffer(raw, dtype="<f4")
                if len(self._cached) >= _CACHED_MAX:
                    self._cached.pop(next(iter(self._cached)))
                self._cached[space, key] = found[key]
        return found
