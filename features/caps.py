"""At most so many items of a list of the same kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.named_codes import NAMELESS

Bool = npt.NDArray[np.bool_]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Cap:
    """A limit of one kind. codes: int32 [n], the kind of each item, NAMELESS for one of none.

    most: how many of a kind a list may hold; 0 for any number.
    """

    codes: Int32
    most: int


def preferred(items: Bool, wish: Bool) -> Bool:
    """Return those of the items that a wish names, all of them where it names none; bool [n]."""
    both = items & wish
    return both if both.any() else items


class Caps:
    """Which items a list that grows item by item may still take."""

    def __init__(self, caps: Sequence[Cap], count: int) -> None:
        """caps: the first is kept longest. count: of items."""
        self._caps = [cap for cap in caps if cap.most > 0]
        self._within = [np.ones(count, np.bool_) for _ in self._caps]
        self._taken: list[dict[int, int]] = [{} for _ in self._caps]

    def take(self, place: int) -> None:
        """Take note that an item is in the list."""
        for cap, within, taken in zip(self._caps, self._within, self._taken, strict=True):
            code = int(cap.codes[place])
            if code == NAMELESS:
                continue
            taken[code] = taken.get(code, 0) + 1
            if taken[code] >= cap.most:
                within &= cap.codes != code

    def kept_by(self, left: Bool) -> Bool:
        """Return which of the items that are left keep to all limits, bool [n].

        Where none does, the last limit gives way, and so on to the first.
        """
        for kept in range(len(self._caps), 0, -1):
            allowed: Bool = np.logical_and.reduce([left, *self._within[:kept]])
            if allowed.any():
                return allowed
        return left
