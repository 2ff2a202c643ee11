"""What is popular among people who say the same of themselves."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from features.mapped import map_tensors
from features.wanted_rows import WantedRows

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]
FILE = "tastes.safetensors"
# What is popular among all counts as much as so many people who name a tag.
PRIOR_PEOPLE = 10.0


@dataclass(frozen=True)
class Tastes:
    """How much people do with each item; an event of somebody with n of them counts 1 / sqrt(n).

    of_all: float32 [items], summed over all people, of whom there are `people`. said_by: float32
    [N], how many of them name each of the release's N tags. starts: int64 [N + 1], where the items
    of each tag begin in rows: int32 [entries] and sums: float32 [entries], over these people.
    """

    of_all: Float32
    people: float
    said_by: Float32
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    sums: Float32

    def popularity(self, asked: Float32, wanted: Rows) -> Float32:
        """Return how popular items are among people of a taste, float32 [wanted], from 0; 1 is what
        is most popular among all, on a logarithmic scale.

        asked: float32 [N], how surely each tag is named, see `ItemTags.asked`. They count in
        proportion, all together as much as the surest is sure; the rest is what all people like,
        which is the answer where nothing is named. wanted: of items, by row; -1 has 0.
        """
        known = wanted >= 0
        liked = np.where(known, self.of_all[np.maximum(wanted, 0)], np.float32(0.0))
        if asked.any():
            weights = asked * (float(asked.max()) / float(asked.sum()))
            shares = weights / (self.said_by + PRIOR_PEOPLE)
            of_all = 1.0 - float(weights.sum()) + PRIOR_PEOPLE * float(shares.sum())
            liked = np.float32(of_all) * liked + self._of_tastes(shares, wanted)
        most = float(np.log1p(self._most))
        return np.asarray(np.log1p(liked) / max(most, 1e-9), np.float32)

    def _of_tastes(self, shares: Float32, wanted: Rows) -> Float32:
        """Return what people of tastes add to the wanted rows; shares: [N], of each."""
        rows = WantedRows(wanted, len(self.of_all))
        found = np.zeros(len(wanted), np.float32)
        for place in np.flatnonzero(shares).tolist():
            own = slice(int(self.starts[place]), int(self.starts[place + 1]))
            hits, to = rows.among(self.rows[own])
            found[to] += shares[place] * self.people * self.sums[own][hits]
        return found[rows.one_of_equals]

    @cached_property
    def _most(self) -> float:
        return float(self.of_all.max(initial=0.0))

    def save(self, directory: Path) -> None:
        """Write the tastes into a release's directory."""
        tensors = {
            "of_all": self.of_all,
            "people": np.array(self.people, np.float32),
            "said_by": self.said_by,
            "starts": self.starts,
            "rows": self.rows,
            "sums": self.sums,
        }
        save_file(tensors, directory / FILE)


def read_tastes(directory: Path) -> Tastes:
    """Read what `save` wrote."""
    tensors: dict[str, Any] = {**map_tensors(directory / FILE)}
    return Tastes(**{**tensors, "people": float(tensors["people"])})
