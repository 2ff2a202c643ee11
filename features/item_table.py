"""The items of a release, as arrays by row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from features.item_vectors import ItemVectors, read_item_vectors
from features.mapped import map_array
from features.named_codes import NamedCodes, coded
from features.places import unit_vectors

Float32 = npt.NDArray[np.float32]
UNKNOWN_ROW = -1


@dataclass(frozen=True)
class ItemTable:
    """One row per item, in the order of the release.

    item_ids: the callers' ids. text_hashes: `features.item_text.text_hash` of each item's text.
    text_vectors: float32 [items, width], L2-normalised, memory-mapped. A text of "" has zeros.
    text_tokens: int32 [items, N], the language model's tokens of each text for a ranker that reads
    candidates as text, -1 after the last; N is 0 for one that does not. Memory-mapped.
    popularity: float32 [items], interactions in all. recent_popularity: the same with each
    interaction halved for every 30 days before the newest. create_time_ms: int64 [items], Unix
    milliseconds, -1 where unknown. latitude, longitude: float32 [items], degrees, NaN if unknown.
    category: the broadest one of each item, the first of its categories. brand: of each item.
    media: the vectors that items bring along.
    """

    item_ids: Sequence[str]
    text_hashes: Sequence[str]
    text_vectors: Float32
    text_tokens: npt.NDArray[np.int32]
    popularity: Float32
    recent_popularity: Float32
    create_time_ms: npt.NDArray[np.int64]
    latitude: Float32
    longitude: Float32
    category: NamedCodes
    brand: NamedCodes
    media: ItemVectors = field(default_factory=ItemVectors)

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def _row_by_id(self) -> dict[str, int]:
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @cached_property
    def points(self) -> npt.NDArray[np.float64]:
        """Where the items are, as unit vectors, float64 [items, 3], NaN where unknown."""
        return unit_vectors(self.latitude, self.longitude)

    @cached_property
    def most(self) -> float:
        """The greatest popularity of all items."""
        return float(self.popularity.max(initial=0.0))

    @cached_property
    def most_recent(self) -> float:
        """The greatest recent popularity of all items."""
        return float(self.recent_popularity.max(initial=0.0))

    def row(self, item_id: str) -> int:
        """Return an item's row, -1 if the release does not hold it."""
        return self._row_by_id.get(item_id, UNKNOWN_ROW)

    def rows(self, item_ids: Iterable[str]) -> npt.NDArray[np.int32]:
        """Return the rows of items, int32 [n], -1 for those that the release does not hold."""
        row_of = self._row_by_id.get
        return np.array([row_of(item_id, UNKNOWN_ROW) for item_id in item_ids], np.int32)

    def id_rows(self, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return rows [n], -1 for items that nobody has used.

        What a model knows an item by is learned from its use. Of one without any it would know
        that it was never wanted, though it may be new.
        """
        used = (rows >= 0) & (self.popularity[np.maximum(rows, 0)] > 0) if len(self) else rows >= 0
        return np.where(used, rows, UNKNOWN_ROW).astype(np.int32)

    def contents(self, rows: npt.NDArray[np.integer]) -> Float32:
        """Return what models read of items by row, each at least 0: float32 [n, D + M].

        Text vectors, and behind them the joined vectors of their media.
        """
        return beside(self.text_vectors[rows], self.media.joined(rows))

    @cached_property
    def all_contents(self) -> Float32:
        """The contents of all items, float32 [items, D + M]."""
        if not self.media.width:
            return self.text_vectors
        return self.contents(np.arange(len(self)))

    def places(self, rows: npt.NDArray[np.int32]) -> tuple[Float32, Float32]:
        """Return latitudes and longitudes [n] of items by row, NaN where unknown."""
        known = rows >= 0
        at = np.where(known, rows, 0)
        if not len(self):
            nowhere = np.full(len(rows), np.nan, np.float32)
            return nowhere, nowhere.copy()
        return (
            np.where(known, self.latitude[at], np.nan).astype(np.float32),
            np.where(known, self.longitude[at], np.nan).astype(np.float32),
        )


def beside(text_vectors: Float32, media: Float32) -> Float32:
    """Return text vectors [n, D] with joined vectors of media [n, M] behind them, [n, D + M]."""
    if not media.shape[1]:
        return text_vectors
    return np.concatenate([text_vectors, media], axis=1)


def read_item_table(directory: Path) -> ItemTable:
    """Read `items.parquet` and map the arrays of texts of a release directory."""
    table = pq.read_table(directory / "items.parquet")

    def column(name: str) -> npt.NDArray[np.float32]:
        return np.asarray(table.column(name).to_numpy(), dtype=np.float32)

    return ItemTable(
        item_ids=table.column("item_id").to_pylist(),
        text_hashes=table.column("text_hash").to_pylist(),
        text_vectors=map_array(directory / "text_vectors.npy"),
        text_tokens=map_array(directory / "text_tokens.npy"),
        popularity=column("popularity"),
        recent_popularity=column("recent_popularity"),
        create_time_ms=np.asarray(table.column("create_time_ms").to_numpy(), dtype=np.int64),
        latitude=column("latitude"),
        longitude=column("longitude"),
        category=coded(table.column("category").to_pylist()),
        brand=coded(table.column("brand").to_pylist()),
        media=read_item_vectors(directory),
    )
