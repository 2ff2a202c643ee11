"""The best candidates by value, among which unlikeness has a say."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from features.caps import Cap
from features.named_codes import NAMELESS

Int32 = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]
# Of so many places unlikeness decides; who looks at more looks for something.
DEPTH_MOST = 100
TIMES = 4
LEAST = 60


def pool_of(able: npt.NDArray[np.bool_], count: int, caps: Iterable[Cap]) -> Places:
    """Return the places of the pool for a slate of `count`, ascending.

    able: bool [n], which candidates have a value, in the order of their values. Of a kind that is
    limited, no more come in than are a few times its limit: a pool of one kind would be no choice.
    """
    allowed = able.copy()
    for cap in caps:
        if cap.most > 0:
            allowed &= (cap.codes == NAMELESS) | (_number_in_kind(cap.codes) < TIMES * cap.most)
    return np.flatnonzero(allowed)[: max(TIMES * min(count, DEPTH_MOST), LEAST)]


def _number_in_kind(codes: Int32) -> Places:
    """Return how many items of the same kind stand before each, intp [n]."""
    order = np.argsort(codes, kind="stable")
    by_kind = codes[order]
    starts = np.flatnonzero(np.append(True, by_kind[1:] != by_kind[:-1]))
    lengths = np.diff(np.append(starts, len(codes)))
    numbers = np.empty(len(codes), np.intp)
    numbers[order] = np.arange(len(codes)) - np.repeat(starts, lengths)
    return numbers
