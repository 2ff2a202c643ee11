"""Vectors that items bring along, such as of their images: one embedding space or several."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.history import mean_vector
from features.mapped import map_array

Float16 = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]
WIDTH_LEAST, WIDTH_MOST = 2, 4_096
SPACES_MOST = 8
# The name is part of that of a Milvus collection; the spaces of every release have theirs.
SPACE_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")
TAKEN_NAMES = frozenset({"text", "cf", "tower"})
FOLDER = "vectors"
NO_VECTOR = ""


@dataclass(frozen=True)
class ItemVectors:
    """The vectors of N items. spaces: float16 [N, width] by name, in alphabetical order.

    Each is L2-normalised, or zeros where an item has none. "Joined" is an item's vectors of all
    spaces one after the other, float32 [M]; M is 0 where there are no spaces.
    """

    spaces: Mapping[str, Float16] = field(default_factory=dict)

    @cached_property
    def parts(self) -> dict[str, slice]:
        """Where each space is in a joined vector."""
        ends = np.cumsum([0, *self.widths.values()]).tolist()
        return {name: slice(*ends) for name, ends in zip(self.spaces, pairwise(ends), strict=True)}

    @property
    def widths(self) -> dict[str, int]:
        """The width of each space."""
        return {name: int(space.shape[1]) for name, space in self.spaces.items()}

    @property
    def width(self) -> int:
        """M, the width of a joined vector."""
        return sum(self.widths.values())

    @cached_property
    def hashes(self) -> dict[str, list[str]]:
        """The `vector_hash` of each item's vector by space, NO_VECTOR where there is none."""
        return {
            name: [vector_hash(row) if row.any() else NO_VECTOR for row in space]
            for name, space in self.spaces.items()
        }

    def joined(self, rows: npt.NDArray[np.integer]) -> Float32:
        """Return joined vectors [n, M] of items by row, zeros for the row -1."""
        known = rows >= 0
        joined = np.zeros((len(rows), self.width), np.float32)
        for name, part in self.parts.items():
            joined[known, part] = self.spaces[name][rows[known]]
        return joined

    def mean(self, joined_EM: Float32, weights_E: Float32) -> Float32:
        """Return the weighted mean of joined vectors, normalised in each space, float32 [M]."""
        means = [mean_vector(joined_EM[:, part], weights_E) for part in self.parts.values()]
        return np.concatenate(means) if means else np.zeros(0, np.float32)

    def likeness(self, joined_NM: Float32, mean_M: Float32) -> Float32:
        """Return the greatest cosine over the spaces, float32 [n], 0 where none is known."""
        best = np.full(len(joined_NM), -np.inf, np.float32)
        for part in self.parts.values():
            known = joined_NM[:, part].any(axis=1) & mean_M[part].any()
            cosines = joined_NM[:, part] @ mean_M[part]
            best = np.where(known, np.maximum(best, cosines), best)
        return np.where(np.isfinite(best), best, 0.0).astype(np.float32)

    def save(self, directory: Path) -> None:
        """Write `vectors/NAME.npy` for each space into a release directory."""
        for name, space in self.spaces.items():
            (directory / FOLDER).mkdir(exist_ok=True)
            np.save(directory / FOLDER / f"{name}.npy", np.ascontiguousarray(space))


def read_item_vectors(directory: Path) -> ItemVectors:
    """Map the vectors of a release directory."""
    files = sorted((directory / FOLDER).glob("*.npy"))
    return ItemVectors({file.stem: map_array(file) for file in files})


def unit_vectors(vectors: npt.NDArray[np.floating]) -> Float16:
    """Return vectors [n, width], none of zeros, L2-normalised as they are kept: float16."""
    # Scaled by the greatest component first, so that no square is beyond a float's range.
    scaled = vectors.astype(np.float64)
    scaled /= np.abs(scaled).max(axis=-1, keepdims=True)
    return np.asarray(scaled / np.linalg.norm(scaled, axis=-1, keepdims=True), np.float16)


def vector_hash(vector: Float16) -> str:
    """Return the key under which a vector is kept: 32 hexadecimal digits."""
    return sha256(np.ascontiguousarray(vector, "<f2").tobytes()).hexdigest()[:32]
