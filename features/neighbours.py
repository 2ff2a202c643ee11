"""Item-to-item neighbours: what people with one item have as well."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from features.mapped import map_tensors
from features.wanted_rows import WantedRows

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]
FILE = "neighbours.safetensors"


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of each item by their weight: EASE's, or cosines of co-occurrence.

    rows: int32 [items, neighbours], -1 where an item has fewer.
    scores: float32 [items, neighbours], weights, 0 where there is none.
    """

    rows: npt.NDArray[np.int32]
    scores: Float32

    def scores_of(self, rows: Rows, weights: Float32, wanted: Rows) -> tuple[Float32, Float32]:
        """Return `scores_of_all` of the wanted rows alone, and the same from the last row that
        counts alone: float32 [wanted] each, 0 for the row -1.

        The cost is that of the given rows' neighbours, whatever the size of the catalogue.
        """
        used = np.flatnonzero((weights > 0) & (rows >= 0))
        wanted_rows = WantedRows(wanted, len(self.rows))
        hits, to = wanted_rows.among(self.rows[rows[used]])
        of, at = np.divmod(hits, max(self.rows.shape[1], 1))
        scores = self.scores[rows[used[of]], at]
        total = np.bincount(to, scores * weights[used[of]], len(wanted))
        from_all = total / max(float(weights[used].sum()), 1e-9)
        from_last = np.bincount(to, scores * (of == len(used) - 1), len(wanted))
        own = wanted_rows.one_of_equals
        return from_all[own].astype(np.float32), from_last[own].astype(np.float32)

    def scores_of_all(self, rows: Rows, weights: Float32) -> Float32:
        """Return every item's weighted mean weight from the given rows, float32 [items].

        Only positive weights and known rows (>= 0) count.
        """
        used = (weights > 0) & (rows >= 0)
        found = self.rows[rows[used]]
        cosines = self.scores[rows[used]] * weights[used, None]
        total = np.bincount(
            np.maximum(found, 0).ravel(), weights=cosines.ravel(), minlength=len(self.rows)
        )
        return np.asarray(total / max(float(weights[used].sum()), 1e-9), dtype=np.float32)

    def query(
        self, rows: Rows, weights: Float32, limit: int
    ) -> tuple[npt.NDArray[np.int32], Float32]:
        """Return up to `limit` rows and scores, best first, by `scores_of_all`.

        The given rows themselves are left out.
        """
        total = self.scores_of_all(rows, weights)
        total[rows[rows >= 0]] = 0.0
        return best_rows(total, limit)

    def save(self, directory: Path) -> None:
        """Write the neighbours into a release's directory."""
        save_file({"rows": self.rows, "scores": self.scores}, directory / FILE)


def read_neighbours(directory: Path) -> Neighbours:
    """Map what `save` wrote."""
    return Neighbours(**map_tensors(directory / FILE))


def best_rows(scores: Float32, limit: int) -> tuple[npt.NDArray[np.int32], Float32]:
    """Return up to `limit` rows of positive score and their scores, best first."""
    count = min(limit, int(np.count_nonzero(scores > 0)))
    if count == 0:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    best = np.argpartition(-scores, count - 1)[:count]
    best = best[np.argsort(-scores[best], kind="stable")]
    return best.astype(np.int32), scores[best]
