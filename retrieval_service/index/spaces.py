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


@dataclass(frozen=True)
class Space:
    """A space of a release. vectors_of: changed items -> vector, float32 [dimension], by item id.

    Items without a vector in the space are left out.
    """

    name: str
    dimension: int
    vectors_of: Callable[[Sequence[Change]], Awaitable[dict[str, Float32]]]


def spaces_of(release: Release, vectors: Vectors) -> list[Space]:
    """Return the spaces of a release. Reads its item table and factors."""
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

    return [
        Space(TEXT, encoder["dimension"], text_vectors),
        Space(CF, release.cf.item_factors.shape[1], cf_vectors),
    ]
