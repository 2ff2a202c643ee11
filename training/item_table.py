"""The item table of a release, from a data set and what was counted in it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.item_table import ItemTable
from features.item_text import item_text, text_hash
from features.item_vectors import ItemVectors
from features.named_codes import coded
from features.senses import Senses
from training.cf import popularity
from training.datasets.format import Dataset
from training.datasets.protos import items_of
from training.interactions import Interactions


def item_texts(dataset: Dataset) -> list[str]:
    """Return each item's text, as the catalogue encodes it."""
    return [item_text(item) for item in items_of(dataset)]


def new_item_table(
    dataset: Dataset,
    texts: list[str],
    vectors: npt.NDArray[np.float32],
    tokens: npt.NDArray[np.int32],
    senses: Senses,
) -> ItemTable:
    """Return the table of a data set's items with nothing counted yet.

    vectors: of their texts, float32 [items, D]. tokens: int32 [items, N], see `ItemTable`.
    senses: without that of place, nothing is anywhere.
    """
    latitudes, longitudes = (
        np.where(senses.place, dataset.items[name].to_numpy(np.float32), np.float32(np.nan))
        for name in ("lat", "lon")
    )
    nothing = np.zeros(len(dataset.items), np.float32)
    return ItemTable(
        item_ids=[str(item_id) for item_id in dataset.items.item_id],
        text_hashes=[text_hash(text) for text in texts],
        text_vectors=vectors,
        text_tokens=tokens,
        popularity=nothing,
        recent_popularity=nothing,
        create_time_ms=dataset.items.created_at.to_numpy(np.int64),
        latitude=latitudes,
        longitude=longitudes,
        category=coded(names[0] if names else "" for names in dataset.items["categories"]),
        brand=coded(dataset.items["brand"]),
        media=ItemVectors(dataset.vectors),
    )


def counted(table: ItemTable, interactions: Interactions) -> ItemTable:
    """Return the table with the popularity of some interactions."""
    plain, recent = popularity(interactions)
    return replace(table, popularity=plain, recent_popularity=recent)
