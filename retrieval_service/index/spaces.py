"""The embedding spaces of a release: which vector an item has in each."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.item_table import beside
from features.item_text import item_text
from features.release import Release
from retrieval_service.catalogue.media_vectors import MediaVectors
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


def spaces_of(release: Release, vectors: Vectors, media: MediaVectors) -> list[Space]:
    """Return the spaces of a release. Reads its item table, factors, tower space and media."""
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
        # Of an item that the release does not know, only its contents say where it belongs.
        new = [change for change, row in zip(changes, rows, strict=True) if row < 0]
        texts = await text_vectors(new)
        brought = {change.item_id: change.item for change in new if change.item is not None}
        joined = await media.joined(release.items, brought)
        no_text = np.zeros(encoder["dimension"], np.float32)
        contents = {
            item_id: beside(texts.get(item_id, no_text)[None, :], own[None, :])[0]
            for item_id, own in zip(brought, joined, strict=True)
            if item_id in texts or own.any()
        }
        if contents:
            read = np.stack([*contents.values()])
            vectors = release.tower.vectors(np.full(len(read), -1), read)
            found |= dict(zip(contents, vectors, strict=True))
        return found

    def media_space(name: str, width: int) -> Space:
        async def vectors_of(changes: Sequence[Change]) -> dict[str, Float32]:
            items = {change.item_id: change.item for change in changes if change.item is not None}
            return await media.present(release.items, name, items)

        return Space(name, width, vectors_of)

    return [
        Space(TEXT, encoder["dimension"], text_vectors),
        Space(CF, release.cf.item_factors.shape[1], cf_vectors),
        Space(TOWER, release.tower.width, tower_vectors),
        *(media_space(name, width) for name, width in release.items.media.widths.items()),
    ]
