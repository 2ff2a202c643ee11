"""Compact hashes of item ids, as `SeenItems` carries them."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def item_hash(item_id: str) -> int:
    """Return the 64-bit hash of an item id: BLAKE2b of its UTF-8 bytes, 8 bytes, little-endian."""
    return int.from_bytes(blake2b(item_id.encode(), digest_size=8).digest(), "little")


def item_hashes(item_ids: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the hashes of item ids, ascending and without repeats, as uint64 [n]."""
    return np.unique(np.fromiter((item_hash(i) for i in item_ids), dtype=np.uint64))
