"""Those who serve the same people, to be compared."""

from collections.abc import Sequence
from typing import Protocol

from sample_world.life import Reaction, Visit


class Arm(Protocol):
    """Who answers visits, and may learn at night."""

    def list_for(self, visit: Visit, count: int) -> list[str]:
        """Return the ids of items to show, best first."""
        ...

    def hear(self, visit: Visit, reactions: Sequence[Reaction]) -> None:
        """Take note of what became of the list that was given last."""
        ...

    def night(self, day: int) -> str:
        """Learn after a day, counted from 0; return what was done, "" for nothing."""
        ...
