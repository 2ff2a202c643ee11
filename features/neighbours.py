"""Item-to-item neighbours: what people with one item have as well."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of each item by their weight: EASE's, or cosines of co-occurrence.

    rows: int32 [items, neighbours], -1 where an item has fewer.
    scores: float32 [items, neighbours], weights, 0 where there is none.
    """

    rows: npt.NDArray[np.int32]
    scores: Float32

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


def best_rows(scores: Float32, limit: int) -> tuple[npt.NDArray[np.int32], Float32]:
    """Return up to `limit` rows of positive score and their scores, best first."""
    count = min(limit, int(np.count_nonzero(scores > 0)))
    if count == 0:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    best = np.argpartition(-scores, count - 1)[:count]
    best = best[np.argsort(-scores[best], kind="stable")]
    return best.astype(np.int32), scores[best]
