"""A name for each item, such as its brand, as a number: comparing numbers costs little."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]
NAMELESS = -1


@dataclass(frozen=True)
class NamedCodes:
    """names: distinct, none of them "". codes: int32 [items], places in names, NAMELESS for ""."""

    names: Sequence[str]
    codes: Int32

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def of_rows(self, rows: Int32, changed: Mapping[int, str]) -> Int32:
        """Return the codes of items by row, int32 [n], NAMELESS for a row of -1.

        changed: names of some of the n items that count instead. Names that are new get codes of
        their own, which hold for this answer alone.
        """
        codes = np.full(len(rows), NAMELESS, np.int32)
        codes[rows >= 0] = self.codes[rows[rows >= 0]]
        new: dict[str, int] = {}
        for at, name in changed.items():
            place = self._place.get(name)
            if place is None:
                place = new.setdefault(name, len(self.names) + len(new)) if name else NAMELESS
            codes[at] = place
        return codes

    def by_item(self) -> list[str]:
        """Return each item's name, "" for one without."""
        return [self.names[code] if code >= 0 else "" for code in self.codes.tolist()]


def coded(names: Iterable[str]) -> NamedCodes:
    """Return names [items] as codes, numbered in the order in which they first come."""
    place: dict[str, int] = {}
    codes = [place.setdefault(name, len(place)) if name else NAMELESS for name in names]
    return NamedCodes(list(place), np.array(codes, np.int32))
