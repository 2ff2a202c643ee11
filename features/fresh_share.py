"""The least share of a list that is new."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tandem.v1.variety_pb2 import Variety

Bool = npt.NDArray[np.bool_]
DEFAULT_AGE_S = 30 * 86_400


@dataclass
class FreshShare:
    """share: of the `count` items of a list, at least, that are to be fresh. taken: so far."""

    share: float
    count: int
    taken: int = 0

    def due(self, filled: int) -> bool:
        """Return whether the next item has to be fresh, `filled` being in the list already.

        It has to where so many items would have fewer fresh ones than the share, rounded down, so
        that the beginning of a list has its share as well; or where there is no place to spare for
        the share of the whole list, rounded up.
        """
        # A float of the contract: 0.3 of 10 items are 3 and not a hair more.
        wanted = math.ceil(self.share * self.count - 1e-6)
        by_now = math.floor(self.share * (filled + 1) + 1e-6)
        return self.taken < by_now or self.count - filled <= wanted - self.taken

    def take(self, fresh: bool) -> None:
        """Take note that an item is in the list."""
        self.taken += fresh


def fresh_since_ms(variety: Variety, now_ms: int) -> int:
    """Return since when, Unix milliseconds, an item must have been created to be fresh."""
    age = variety.fresh_age
    known = variety.HasField("fresh_age")
    return now_ms - (age.ToMilliseconds() if known else DEFAULT_AGE_S * 1000)
