"""What cleaning removes only when asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cleaning:
    """Removals that are off by default, because they change what a data set says.

    drop_bots: remove the interactions of bot-like users. drop_impossible_times: remove
    interactions at impossible times. Both by the rules of training.datasets.suspicion, by which
    they are counted in the report in any case. k_core: keep only users and items with at least
    so many interactions among each other, impressions not counted; 0 keeps all. What the core
    lacks leaves the catalogue too.
    """

    drop_bots: bool = False
    drop_impossible_times: bool = False
    k_core: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for a core of fewer than none."""
        if self.k_core < 0:
            raise ValueError(f"k_core is {self.k_core}; it is 0 or more")

    def words(self) -> list[str]:
        """Return what `--clean` takes to ask for the same; a release's manifest holds it."""
        removals = [name for name in ("drop_bots", "drop_impossible_times") if getattr(self, name)]
        return removals + ([f"k_core={self.k_core}"] if self.k_core else [])
