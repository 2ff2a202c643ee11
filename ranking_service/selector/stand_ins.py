"""Vectors for items without a text, so that each is unlike all others and always the same."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.ids import item_hash

Float32 = npt.NDArray[np.float32]


def with_stand_ins(vectors: Float32, item_ids: Sequence[str]) -> Float32:
    """Return vectors [n, D] where those of zeros are replaced by signs that the item's id decides.

    Two of them have a cosine of about 1 / sqrt(D).
    """
    missing = np.flatnonzero(~vectors.any(axis=1))
    if not len(missing):
        return vectors
    hashes = np.array([item_hash(item_ids[place]) for place in missing.tolist()], np.uint64)
    filled = vectors.copy()
    filled[missing] = _signs(hashes, vectors.shape[1])
    return filled


def _signs(seeds: npt.NDArray[np.uint64], width: int) -> Float32:
    """Return unit vectors of random signs, float32 [n, width], by the generator SplitMix64."""
    steps = np.arange(1, width // 64 + 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = seeds[:, None] + steps
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    bits = np.unpackbits(state.view(np.uint8), axis=1)[:, :width]
    return (bits.astype(np.float32) * 2 - 1) / np.float32(np.sqrt(max(width, 1)))
