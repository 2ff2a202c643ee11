"""The embedding spaces of a release: which vector an item has in each."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.item_text import item_text
from features.release import Release
from retrieval_service.catalogue.records import Change
from retrieval_service.catalogue.vectors import Vectors

Float32 = npt.NDArray[np.float32]
TEXT = "text"
CF = "cf"
TOWER = "tower"


@dataclass(frozen=True)
class Space:
    """A space of a release. vectors_of: changed items -> vector, float32 [dimension], by item id.

    Items without a vector in the space are left out.
    """

    name: str
    dimension: int
    vectors_of: Callable[[Sequence[Change]], Awaitable[dict[str, Float32]]]


def spaces_of(release: Release, vectors: Vectors) -> list[Space]:
    """Return the spaces of a release. Reads its item table, factors and tower space."""
    encoder = release.manifest["encoder"]

    async def text_vectors(changes: Sequence[Change]) -> dict[str, Float32]:
        texts = {change.text_hash: item_text(change.item) for change in changes if change.item}
        by_hash = await vectors.ensure(encoder["version"], texts)
        return {c.item_id: by_hash[c.text_hash] for c in changes if c.text_hash in by_hash}

    async def cf_vectors(changes: Sequence[Change]) -> dict[str, Float32]:
        factors, found = release.cf.item_factors, {}
        for change in changes:
            row = release.items.row(change.item_id)
            # An item that nobody used has a zero factor: it could be found for no user.
            if row >= 0 and factors[row].any():
                found[change.item_id] = factors[row]
        return found

    async def tower_vectors(changes: Sequence[Change]) -> dict[str, Float32]:
        rows = release.items.rows(change.item_id for change in changes)
        known = [(c, int(row)) for c, row in zip(changes, rows, strict=True) if row >= 0]
        found = {change.item_id: release.tower.item_vectors[row] for change, row in known}
        # Of an item that the release does not know, only a text says where it belongs.
        new = [change for change, row in zip(changes, rows, strict=True) if row < 0]
        texts = await text_vectors(new)
        if texts:
            vectors = release.tower.vectors(np.full(len(texts), -1), np.stack([*texts.values()]))
            found |= dict(zip(texts, vectors, strict=True))
        return found

    return [
        Space(TEXT, encoder["dimension"], text_vectors),
        Space(CF, release.cf.item_factors.shape[1], cf_vectors),
        Space(TOWER, release.tower.width, tower_vectors),
    ]
