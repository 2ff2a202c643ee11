"""Items that are newer than the pinned release, or whose text has changed since."""

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from retrieval_service.catalogue.media_vectors import MediaVectors
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


async def present_media(
    loaded: LoadedRelease, view: View, media: MediaVectors, item_ids: Iterable[str]
) -> dict[str, dict[str, Float32]]:
    """Return by item and space the vectors, float32 [width], that the release has otherwise."""
    table = loaded.release.items
    found: dict[str, dict[str, Float32]] = {}
    if not table.media.spaces:
        return found
    items = {i: view.entries[i].item for i in item_ids if i in view.entries}
    for space in table.media.spaces:
        try:
            changed = await media.changed(table, space, items)
        except StorageUnavailable as error:
            logger.warning("changed items go without their vectors of %s: %s", space, error)
            continue
        for item_id, vector in changed.items():
            found.setdefault(item_id, {})[space] = vector
    return found


def joined_texts(
    loaded: LoadedRelease, item_ids: Sequence[str], changed: Mapping[str, Float32]
) -> Float32:
    """Return items' text vectors, float32 [n, D], zeros where unknown; changed: as
    `present_vectors` returns them.
    """
    rows = loaded.release.items.rows(item_ids)
    joined = np.array(loaded.release.items.text_vectors[rows])
    joined[rows < 0] = 0.0
    for place, item_id in enumerate(item_ids if changed else ()):
        if item_id in changed:
            joined[place] = changed[item_id]
    return joined


def joined_media(
    loaded: LoadedRelease, item_ids: Sequence[str], changed: Mapping[str, Mapping[str, Float32]]
) -> Float32:
    """Return items' joined vectors, float32 [n, M]; changed: as `present_media` returns them."""
    table = loaded.release.items
    joined = table.media.joined(table.rows(item_ids))
    for place, item_id in enumerate(item_ids if changed else ()):
        for space, vector in changed.get(item_id, {}).items():
            joined[place, table.media.parts[space]] = vector
    return joined


def item_overrides(
    loaded: LoadedRelease,
    view: View,
    changed: Mapping[str, Float32],
    media: Mapping[str, Mapping[str, Float32]],
) -> list[ItemOverride]:
    """Return what the ranking service needs of changed items; descriptions are left out.

    changed: text vectors by item; media: further vectors by item and space.
    """
    table = loaded.release.items
    overrides = []
    for item_id in {**changed, **media}:
        row, vector = table.row(item_id), changed.get(item_id)
        if vector is None and row >= 0:
            vector = table.text_vectors[row]
        if item_id not in view.entries or vector is None:
            continue
        override = ItemOverride(
            item=view.entries[item_id].item,
            text_vector=Vector(float32_values=vector.astype("<f4").tobytes()),
        )
        override.item.ClearField("vectors")
        for space, own in media.get(item_id, {}).items():
            override.item.vectors[space].float32_values = own.astype("<f4").tobytes()
        overrides.append(override)
    return overrides
