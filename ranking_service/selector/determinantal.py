"""Greedy choice by a determinantal point process: items of value that are unlike those chosen.

L. Chen, G. Zhang, E. Zhou, "Fast Greedy MAP Inference for Determinantal Point Process to Improve
Recommendation Diversity", NeurIPS 2018.
"""

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
# Of an item that adds nothing to those chosen the logarithm would have no bound. Where texts say
# little, such as a category's name, many add nothing: value must still be able to outweigh it.
RESIDUAL_LEAST = 0.05
# Below it rounding is most of what is left.
SPANNED = 1e-3
VALUE_LEAST = 1e-2


class Residuals:
    """How much of each item's vector is not in the span of those chosen.

    It keeps the rows of the Cholesky decomposition of the chosen items' kernel and extends them by
    one for each choice, which costs O(p k) after k choices among p items.
    """

    def __init__(self, kernel: Float32, depth: int) -> None:
        """kernel: float32 [p, p], inner products of the items. depth: how many are chosen."""
        self._kernel = kernel
        self._rows = np.zeros((depth, len(kernel)), np.float32)
        self._chosen = 0
        # The squared lengths, float32 [p].
        self.left = kernel.diagonal().copy()

    def take(self, item: int) -> None:
        """Take note that an item is chosen."""
        own = self.left[item]
        if own <= SPANNED or self._chosen == len(self._rows):
            return
        rows = self._rows[: self._chosen]
        row = (self._kernel[item] - rows[:, item] @ rows) / np.sqrt(own)
        self._rows[self._chosen] = row
        self._chosen += 1
        self.left -= row * row

    def gains(self, log_values: Float32, diversity: float) -> Float32:
        """Return by how much the logarithm of the slate's probability grows with each item [p]."""
        unlike: Float32 = np.log(np.maximum(self.left, RESIDUAL_LEAST))
        worth, share = np.float32(1 - diversity), np.float32(diversity)
        return worth * log_values + share * unlike


def most_likely(
    residuals: Residuals,
    log_values: Float32,
    able: npt.NDArray[np.bool_],
    count: int,
    diversity: float,
) -> list[int]:
    """Return `count` of p items in the order in which they are chosen, by `Residuals.gains`.

    able: bool [p], at least `count` of which may be chosen.
    """
    left, chosen = able.copy(), []
    for _ in range(count):
        item = int(np.where(left, residuals.gains(log_values, diversity), -np.inf).argmax())
        left[item] = False
        residuals.take(item)
        chosen.append(item)
    return chosen


def log_values(values: Float32) -> Float32:
    """Return logarithms of values [p], in the same order.

    Weights of outcomes may make values negative. The least of them is put above zero then, by a
    hundredth of what lies between them.
    """
    if len(values) and (least := values.min()) <= 0:
        values = values - least + VALUE_LEAST * max(float(values.max() - least), VALUE_LEAST)
    return np.log(values)
