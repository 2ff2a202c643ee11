"""Bootstrap over users: intervals of means and of differences between systems.

Requests of one user are not independent, so whole users are drawn (a cluster bootstrap).
"""

from collections.abc import Iterator
from typing import TypedDict

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
RESAMPLES = 1_000
PAIRED_RESAMPLES = 10_000
# Numbers in memory at a time.
CHUNK = 20_000_000
LEVEL = (2.5, 97.5)


class Metric(TypedDict):
    """A mean and the bounds of its 95 % bootstrap interval, None where it has none."""

    mean: float
    ci95: list[float] | None


class Difference(TypedDict):
    """One system less another: the mean difference, its 95 % interval and two-sided p-value."""

    difference: float
    ci95: list[float]
    p_value: float


class UserBootstrap:
    """Draws users with replacement; the same seed draws the same users for every system."""

    def __init__(self, users: npt.NDArray[np.int64], seed: int = 0) -> None:
        """users: int64 [n], the user of each value."""
        distinct, self.user = np.unique(users, return_inverse=True)
        self.users = len(distinct)
        self.seed = seed

    def draws(self, resamples: int, width: int = 0) -> Iterator[npt.NDArray[np.float32]]:
        """Yield how often each user is drawn, float32 [some, users], for all resamples.

        width: how many numbers the caller needs for each resample besides.
        """
        random = np.random.default_rng(self.seed)
        some = max(1, min(resamples, CHUNK // max(self.users + width, 1)))
        for start in range(0, resamples, some):
            count = min(some, resamples - start)
            drawn = random.integers(0, self.users, (count, self.users))
            drawn += np.arange(count)[:, None] * self.users
            counts = np.bincount(drawn.ravel(), minlength=count * self.users)
            yield counts.reshape(count, self.users).astype(np.float32)

    def totals(self, values: Float) -> Float:
        """Return the sums by user of values [n, m], [users, m]."""
        return np.stack(
            [np.bincount(self.user, column, minlength=self.users) for column in values.T], axis=1
        )

    def means(self, values: Float, resamples: int = RESAMPLES) -> list[Metric]:
        """Return the mean over all values [n, m] of each column, with its interval."""
        if not len(values):
            return [{"mean": 0.0, "ci95": [0.0, 0.0]} for _ in range(values.shape[1])]
        sums = self.totals(np.column_stack([values, np.ones(len(values))]))
        drawn = np.concatenate([weights @ sums for weights in self.draws(resamples)])
        bounds = np.percentile(drawn[:, :-1] / drawn[:, -1:], LEVEL, axis=0)
        return [
            {"mean": float(mean), "ci95": [float(low), float(high)]}
            for mean, low, high in zip(values.mean(axis=0), *bounds, strict=True)
        ]

    def difference(
        self, ours: Float, theirs: Float, resamples: int = PAIRED_RESAMPLES
    ) -> Difference:
        """Compare two systems on the same values [n].

        The p-value is twice the share of resamples on the other side of 0, ties half, never less
        than one resample's worth.
        """
        gained = ours - theirs
        sums = self.totals(np.column_stack([gained, np.ones(len(gained))]))
        drawn = np.concatenate([weights @ sums for weights in self.draws(resamples)])
        means = drawn[:, 0] / drawn[:, 1]
        below = float((means < 0).sum() + 0.5 * (means == 0).sum())
        p_value = 2 * min(below + 1, resamples - below + 1) / (resamples + 1)
        low, high = np.percentile(means, LEVEL)
        return {
            "difference": float(gained.mean()),
            "ci95": [float(low), float(high)],
            "p_value": min(p_value, 1.0),
        }
