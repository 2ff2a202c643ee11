"""What the ranker is trained to do well."""

import torch
import torch.nn.functional as F
from torch import Tensor

CALIBRATION_WEIGHT = 0.02
OUTCOME_WEIGHT = 0.2


def ranking_loss(logits_PKA: Tensor, labels_PA: Tensor, others_P: Tensor) -> Tensor:
    """Return the loss of P positions with K candidates each, the target first.

    logits_PKA: outcomes A, engagement first. labels_PA: labels of the target for the outcomes after
    the first, NaN where unknown. others_P: how many candidates a position really has besides the
    target, of which K - 1 were drawn.

    The order is learned by softmax of the target against the others. A little binary cross-entropy,
    in which each drawn negative stands for those that were not drawn, sets the level, so that the
    logit is that of a probability among the candidates.
    """
    engage_PK = logits_PKA[..., 0]
    order = F.cross_entropy(engage_PK, torch.zeros(len(engage_PK), dtype=torch.long))
    stands_for = others_P / (engage_PK.shape[1] - 1)
    level = F.softplus(-engage_PK[:, 0]) + stands_for * F.softplus(engage_PK[:, 1:]).sum(1)
    loss = order + CALIBRATION_WEIGHT * level.mean()
    known = torch.isfinite(labels_PA)
    if known.any():
        outcomes = logits_PKA[:, 0, 1:][known]
        loss = loss + OUTCOME_WEIGHT * F.binary_cross_entropy_with_logits(
            outcomes, labels_PA[known]
        )
    return loss
