"""What items share: the entities that they are linked with, and what sharing one says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from features.item_links import attribute_links
from features.mapped import map_tensors
from tandem.v1.item_pb2 import Item

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
# What a link over another entity counts beside a link of the item's own.
FAR_SHARE = 0.5
# An entity whose name stands for itself, whichever relation leads there.
ANY_RELATION = ""
# An item that others are linked with is an entity of its own; its name is its id.
AN_ITEM = "\x1fitem"


@dataclass(frozen=True)
class ItemEntities:
    """A sparse matrix of items and the E entities that they are linked with.

    relations: names of R relations. scopes, names: of each entity, by which it is found: the
    relation of an attribute, ANY_RELATION or AN_ITEM, and its name there. shown: its name for
    people. starts: int64 [items + 1]; entities: int32 [links], kinds: int32 [links], places in
    relations, far: bool [links], whether the item is linked over another entity. worth: float32
    [R], how far people follow a relation, 0 where they do not; all are 0 where this tells nothing.
    """

    relations: Sequence[str] = ()
    scopes: Sequence[str] = ()
    names: Sequence[str] = ()
    shown: Sequence[str] = ()
    starts: Int64 = field(default_factory=lambda: np.zeros(1, np.int64))
    entities: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    kinds: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    far: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    worth: Float32 = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def items(self) -> int:
        """How many items there are."""
        return len(self.starts) - 1

    @property
    def useful(self) -> bool:
        """Whether any relation is worth following."""
        return bool(self.worth.any())

    @cached_property
    def rarity(self) -> Float32:
        """What sharing an entity says: float32 [E], log of all items by those that have it."""
        # By two relations an item may be linked with one entity twice.
        rows = np.repeat(np.arange(self.items), np.diff(self.starts))
        distinct = np.unique(rows * len(self.names) + self.entities) % max(len(self.names), 1)
        having = np.bincount(distinct, minlength=len(self.names))
        return np.log(self.items / np.maximum(having, 1)).clip(0).astype(np.float32)

    @cached_property
    def strengths(self) -> Float32:
        """What each link counts, float32 [links]: the product of two is what sharing counts."""
        return self.strength(self.entities, self.kinds, self.far)

    @cached_property
    def _inverse(self) -> tuple[Int64, Int32, Float32]:
        """The same by entity: starts int64 [E + 1], items int32 [links], strengths [links]."""
        order = np.argsort(self.entities, kind="stable")
        rows = np.repeat(np.arange(self.items, dtype=np.int32), np.diff(self.starts))
        starts = np.searchsorted(self.entities[order], np.arange(len(self.names) + 1))
        return starts.astype(np.int64), rows[order], self.strengths[order]

    @cached_property
    def _place(self) -> dict[tuple[str, str], int]:
        return {key: at for at, key in enumerate(zip(self.scopes, self.names, strict=True))}

    @cached_property
    def _kind(self) -> dict[str, int]:
        return {name: kind for kind, name in enumerate(self.relations)}

    def of_row(self, row: int) -> slice:
        """Return the links of an item."""
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    def of_rows(self, rows: npt.NDArray[np.integer]) -> tuple[Int64, Int64]:
        """Return the links of items, int64 [links], and at which of the rows each has its item."""
        return _ranges(self.starts, rows)

    def liked(self, rows: npt.NDArray[np.integer], weights: Float32) -> Float32:
        """Return how much each entity is liked, float32 [E], from items by row and their weights.

        Only positive weights and known rows (>= 0) count; these are made to sum to 1.
        """
        if not self.useful:
            return np.zeros(len(self.names), np.float32)
        used = np.flatnonzero((weights > 0) & (rows >= 0))
        links, of = self.of_rows(rows[used])
        parts = weights[used][of] * self.strengths[links]
        liked = np.bincount(self.entities[links], parts, len(self.names))
        return np.asarray(liked / max(float(weights[used].sum()), 1e-9), dtype=np.float32)

    def scores_of(self, liked: Float32, rows: npt.NDArray[np.integer]) -> Float32:
        """Return `scores` of some items alone, by row, each at least 0: float32 [n]."""
        links, of = self.of_rows(rows)
        parts = liked[self.entities[links]] * self.strengths[links]
        return np.bincount(of, parts, len(rows)).astype(np.float32)

    def scores(self, liked: Float32) -> Float32:
        """Return how much each item has of what is liked [E], float32 [items]."""
        starts, rows, strengths = self._inverse
        some = np.flatnonzero(liked)
        links, of = _ranges(starts, some)
        parts = liked[some][of] * strengths[links]
        return np.bincount(rows[links], parts, self.items).astype(np.float32)

    def links_of(self, item: Item) -> tuple[Int32, Int32]:
        """Return entities and relations that the attributes of an item link it with, int32 [n].

        For items that the release does not hold. What the release does not know is left out.
        """
        found = [
            (place, self._kind[relation])
            for relation, name in attribute_links(item)
            for scope in (relation, ANY_RELATION)
            if relation in self._kind and (place := self._place.get((scope, name))) is not None
        ]
        both = np.array(found, np.int32).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def score_of(self, liked: Float32, item: Item) -> float:
        """Return how much an item that the release does not hold has of what is liked [E]."""
        entities, kinds = self.links_of(item)
        near = np.zeros(len(entities), np.bool_)
        return float(liked[entities] @ self.strength(entities, kinds, near))

    def strength(self, entities: Int32, kinds: Int32, far: npt.NDArray[np.bool_]) -> Float32:
        """Return what links count, float32 [n]: by entity, relation, and whether they are far."""
        counts = np.sqrt(self.worth[kinds] * self.rarity[entities])
        return np.asarray(np.where(far, FAR_SHARE, 1.0) * counts, dtype=np.float32)

    def save(self, directory: Path) -> None:
        """Write the entities into a release's directory."""
        arrays = {"starts": self.starts, "entities": self.entities, "kinds": self.kinds}
        tensors = {**arrays, "far": self.far.astype(np.uint8), "worth": self.worth}
        save_file(tensors, directory / "entities.safetensors")
        named = {
            "relations": list(self.relations),
            "scopes": list(self.scopes),
            "names": list(self.names),
            "shown": list(self.shown),
        }
        (directory / "entities.json").write_text(json.dumps(named, ensure_ascii=False))


def _ranges(starts: Int64, at: npt.NDArray[np.integer]) -> tuple[Int64, Int64]:
    """Return all places from starts[a] to starts[a + 1], for each a in turn, and which a it was."""
    counts = starts[at + 1] - starts[at]
    of = np.repeat(np.arange(len(at)), counts)
    before = np.cumsum(counts) - counts
    return np.arange(len(of)) - before[of] + starts[at][of], of


def read_item_entities(directory: Path) -> ItemEntities:
    """Read what `save` wrote."""
    tensors = map_tensors(directory / "entities.safetensors")
    named = json.loads((directory / "entities.json").read_text())
    return ItemEntities(**{**named, **tensors, "far": tensors["far"].view(np.bool_)})
