"""Collaborative filtering with fold-in: a user's factor is computed from history at request time.

Implicit alternating least squares: Hu, Koren and Volinsky, "Collaborative Filtering for Implicit
Feedback Datasets", ICDM 2008. A release holds item factors only, no user's.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class CfModel:
    """Item factors of iALS, and what it takes to fold a user in.

    item_factors: float32 [items, width]; a zero row is an item without interactions.
    regularization: the L2 weight with which the factors were fitted.
    alpha: the confidence of an interaction is alpha * weight, that of none 1.
    """

    item_factors: Float32
    regularization: float
    alpha: float

    @cached_property
    def gram_DD(self) -> Float32:
        """The regularised Gram matrix of the item factors, float32 [width, width]."""
        factors = self.item_factors
        ridge = self.regularization * np.eye(factors.shape[1], dtype=np.float32)
        return np.asarray(factors.T @ factors + ridge, dtype=np.float32)

    def fold_in(self, rows: Rows, weights: Float32) -> Float32:
        """Return the factor, float32 [width], of a user with these item rows and weights >= 0.

        The score of an item is its factor's dot product with it. Without any positive weight the
        factor is zero. A row may appear twice; its weights add up.
        """
        used = (weights > 0) & (rows >= 0)
        distinct, place = np.unique(rows[used], return_inverse=True)
        confidence = self.alpha * np.bincount(place, weights=weights[used])
        factors = self.item_factors[distinct]
        system = self.gram_DD + (factors * (confidence - 1.0)[:, None]).T @ factors
        return np.linalg.solve(system, factors.T @ confidence).astype(np.float32)
