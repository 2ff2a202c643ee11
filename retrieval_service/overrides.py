"""Items that are newer than the pinned release, or whose text has changed since."""

import logging
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.catalogue.view import View
from retrieval_service.release import LoadedRelease
from serving.errors import StorageUnavailable
from tandem.v1.common_pb2 import Vector
from tandem.v1.item_pb2 import ItemOverride

Float32 = npt.NDArray[np.float32]
logger = logging.getLogger(__name__)


async def present_vectors(
    loaded: LoadedRelease, view: View, vectors: Vectors, item_ids: Iterable[str]
) -> dict[str, Float32]:
    """Return the present text vector, float32 [D], of those items that the release has otherwise.

    An item without text has zeros. Left out are items that are not in the catalogue, and those
    whose vector cannot be had.
    """
    items = loaded.release.items
    changed: dict[str, str] = {}
    for item_id in item_ids:
        entry, row = view.entries.get(item_id), items.row(item_id)
        if entry and (row < 0 or items.text_hashes[row] != entry.text_hash):
            changed[item_id] = entry.text_hash
    if not changed:
        return {}
    try:
        found = await vectors.find(loaded.encoder_version, changed.values())
    except StorageUnavailable as error:
        logger.warning("%d changed items go without their vectors: %s", len(changed), error)
        found = {}
    found = {vectors.EMPTY: np.zeros(items.text_vectors.shape[1], np.float32), **found}
    return {item_id: found[text] for item_id, text in changed.items() if text in found}


def item_overrides(view: View, changed: dict[str, Float32]) -> list[ItemOverride]:
    """Return what the ranking service needs of changed items; descriptions are left out."""
    return [
        ItemOverride(
            item=view.entries[item_id].item,
            text_vector=Vector(float32_values=vector.astype("<f4").tobytes()),
        )
        for item_id, vector in changed.items()
        if item_id in view.entries
    ]
