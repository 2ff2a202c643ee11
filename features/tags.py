"""What items are tagged with: the categories, tags and frequent phrases of a catalogue."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from features.mapped import map_tensors
from features.vocabulary import Vocabulary
from features.wanted_rows import WantedRows
from tandem.v1.user_pb2 import InterestTag

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]
# Of items that have the same of what is asked for, those that more people want come first.
POPULAR_PART = 0.2


@dataclass(frozen=True)
class ItemTags:
    """names: of N tags. vectors: float32 [M, D] of the first M, unit length, by the text encoder.
    unrelated: the cosine that names of nothing in common seldom reach. starts: int64 [N + 1],
    rows: int32 [entries], the items that have each tag. items: how many items there are.
    """

    names: Sequence[str]
    vectors: Float32
    unrelated: float
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    items: int

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names, by how many items have each."""
        return Vocabulary(
            dict(zip(self.names, np.diff(self.starts).tolist(), strict=True)), self.items
        )

    @cached_property
    def rarity(self) -> Float32:
        """What having a tag says: float32 [N], log of all items by those that have it."""
        return np.log1p(self.items / np.maximum(np.diff(self.starts), 1)).astype(np.float32)

    @cached_property
    def _place(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            found.setdefault(name.casefold(), []).append(place)
        return found

    def has(self, name: str, row: int) -> bool:
        """Return whether an item, by row, has a tag of this name."""
        places = self._place.get(name.casefold(), ())
        return any(row in self.rows[self.starts[p] : self.starts[p + 1]] for p in places)

    def asked(self, interests: Iterable[InterestTag]) -> Float32:
        """Return how surely each tag is asked for, float32 [N], at most 1; 0 if not at all."""
        sure = np.zeros(len(self.names), np.float32)
        for tag in interests:
            for place in self._place.get(tag.tag.casefold(), ()):
                sure[place] = min(max(sure[place], tag.confidence), 1.0)
        return sure

    def scores(self, asked: Float32) -> Float32:
        """Return how much each item has of what is asked for, float32 [items].

        A rare tag says more. Who has all has the confidence of the surest, who has none 0.
        """
        found = np.zeros(self.items, np.float32)
        shares = self._shares(asked)
        for place in np.flatnonzero(shares).tolist():
            found[self.rows[self.starts[place] : self.starts[place + 1]]] += shares[place]
        return found

    def scores_of(self, asked: Float32, wanted: Rows) -> Float32:
        """Return `scores` of the wanted rows alone, float32 [wanted], 0 for the row -1."""
        shares = self._shares(asked)
        some = np.flatnonzero(shares).tolist()
        if not some:
            return np.zeros(len(wanted), np.float32)
        wanted_rows = WantedRows(wanted, self.items)
        found = np.zeros(len(wanted), np.float32)
        for place in some:
            _, to = wanted_rows.among(self.rows[self.starts[place] : self.starts[place + 1]])
            found[to] += shares[place]
        return found[wanted_rows.one_of_equals]

    def score_of(self, asked: Float32, names: Iterable[str]) -> float:
        """Return the same of an item with these names, which the release may not hold."""
        places = {p for name in names for p in self._place.get(name.casefold(), ())}
        return float(self._shares(asked)[list(places)].sum())

    def save(self, directory: Path) -> None:
        """Write the tags into a release's directory; vectors in half precision."""
        tensors = {
            "vectors": self.vectors.astype(np.float16),
            "unrelated": np.array(self.unrelated, np.float32),
            "starts": self.starts,
            "rows": self.rows,
        }
        save_file(tensors, directory / "tags.safetensors")
        (directory / "tags.json").write_text(json.dumps(list(self.names), ensure_ascii=False))

    def _shares(self, asked: Float32) -> Float32:
        parts = asked * self.rarity
        scale = float(asked.max(initial=0.0)) / max(float(parts.sum()), 1e-9)
        return np.asarray(parts * scale, dtype=np.float32)


def read_item_tags(directory: Path, items: int) -> ItemTags:
    """Read what `save` wrote."""
    tensors = map_tensors(directory / "tags.safetensors")
    return ItemTags(
        names=json.loads((directory / "tags.json").read_text()),
        vectors=tensors["vectors"].astype(np.float32),
        unrelated=float(tensors["unrelated"]),
        starts=tensors["starts"],
        rows=tensors["rows"],
        items=items,
    )


def lifted_by_popularity(scores: Float32, popularity: Float32) -> Float32:
    """Return scores [items], a little higher for popular items: else many would be alike."""
    wanted = np.log1p(popularity)
    share = wanted / max(float(wanted.max(initial=0.0)), 1e-9)
    return np.asarray(scores * (1.0 + POPULAR_PART * share), dtype=np.float32)
