"""What an engine is."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

# Token ids and attention mask, int64 [texts, tokens] -> unit vectors, float32 [texts, dimension].
Run = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Engine(Protocol):
    """Runs the network on padded groups.

    lanes: what runs side by side, a thread each. bulk_lanes: the same, behind everything else that
    the machine has to do; none: the others take bulk work when there is no other. alone: all of the
    machine for one group, where that is quicker. call_cost: of a call, in tokens. tokens_max: of a
    call, with padding; more would gain nothing and have others wait. rows_max: while so many texts
    wait here, the rest waits in Triton, where limits, timeouts and priorities hold.
    """

    precision: str
    call_cost: int
    tokens_max: int
    rows_max: int
    lanes: Sequence[Run]
    bulk_lanes: Sequence[Run]
    alone: Run | None
