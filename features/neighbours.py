"""Item-to-item neighbours: what people with one item have as well."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of each item by cosine of co-occurrence.

    rows: int32 [items, neighbours], -1 where an item has fewer.
    scores: float32 [items, neighbours], cosines, 0 where there is none.
    """

    rows: npt.NDArray[np.int32]
    scores: Float32

    def query(
        self, rows: Rows, weights: Float32, limit: int
    ) -> tuple[npt.NDArray[np.int32], Float32]:
        """Return up to `limit` rows and scores, best first: the weighted sum over the given rows.

        The given rows themselves are left out, as are unknown ones (-1).
        """
        used = (weights > 0) & (rows >= 0)
        total = np.zeros(len(self.rows), dtype=np.float32)
        found = self.rows[rows[used]]
        np.add.at(total, found.ravel(), (self.scores[rows[used]] * weights[used, None]).ravel())
        total[rows[rows >= 0]] = 0.0
        count = min(limit, int(np.count_nonzero(total > 0)))
        if count == 0:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        best = np.argpartition(-total, count - 1)[:count]
        best = best[np.argsort(-total[best], kind="stable")]
        return best.astype(np.int32), total[best]
