"""What the ranker is trained to do well."""

import torch
import torch.nn.functional as F
from torch import Tensor

CALIBRATION_WEIGHT = 0.02
OUTCOME_WEIGHT = 0.2


def ranking_loss(
    logits_PKA: Tensor, labels_PA: Tensor, raised_PK: Tensor, *, rating: bool = False
) -> Tensor:
    """Return the loss of P positions with K candidates each, the target first.

    logits_PKA: outcomes A, engagement first. labels_PA: labels of the target for the outcomes after
    the first, NaN where unknown, the last a rating if `rating`. raised_PK: logarithms of how many
    candidates each stands for.

    The order is learned by softmax of the target against the others. A little binary cross-entropy,
    in which each drawn negative stands for those that were not drawn, sets the level, so that the
    logit is that of a probability among the candidates.
    """
    engage_PK = logits_PKA[..., 0]
    first_P = torch.zeros(len(engage_PK), dtype=torch.long)
    order = F.cross_entropy(engage_PK + raised_PK, first_P)
    stands_for_PK = raised_PK[:, 1:].exp()
    level = F.softplus(-engage_PK[:, 0]) + (stands_for_PK * F.softplus(engage_PK[:, 1:])).sum(1)
    loss = order + CALIBRATION_WEIGHT * level.mean()
    return loss + OUTCOME_WEIGHT * outcome_loss(logits_PKA[:, 0, 1:], labels_PA, rating=rating)


def outcome_loss(logits_PA: Tensor, labels_PA: Tensor, *, rating: bool = False) -> Tensor:
    """Return the mean binary cross-entropy of outcomes; labels that are NaN do not count.

    rating: whether the last is a rating, which is learned by its squared error.
    """
    known = torch.isfinite(labels_PA)
    squared = torch.zeros_like(known)
    squared[:, -1:] = rating
    yes_no, numbers = known & ~squared, known & squared
    losses = F.binary_cross_entropy_with_logits(
        logits_PA[yes_no], labels_PA[yes_no], reduction="sum"
    ) + F.mse_loss(logits_PA[numbers], labels_PA[numbers], reduction="sum")
    return losses / known.sum().clamp(min=1)
