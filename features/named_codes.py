"""A name for each item, such as its brand, as a number: comparing numbers costs little."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]
NAMELESS = -1


@dataclass(frozen=True)
class NamedCodes:
    """names: distinct, none of them "". codes: int32 [items], places in names, NAMELESS for ""."""

    names: Sequence[str]
    codes: Int32

    def of_rows(self, rows: Int32) -> Int32:
        """Return the codes of items by row, int32 [n], NAMELESS for a row of -1."""
        if not len(self.codes):
            return np.full(len(rows), NAMELESS, np.int32)
        return np.where(rows >= 0, self.codes[np.maximum(rows, 0)], NAMELESS).astype(np.int32)

    def by_item(self) -> list[str]:
        """Return each item's name, "" for one without."""
        return [self.names[code] if code >= 0 else "" for code in self.codes.tolist()]


def coded(names: Iterable[str]) -> NamedCodes:
    """Return names [items] as codes, numbered in the order in which they first come."""
    place: dict[str, int] = {}
    codes = [place.setdefault(name, len(place)) if name else NAMELESS for name in names]
    return NamedCodes(list(place), np.array(codes, np.int32))
