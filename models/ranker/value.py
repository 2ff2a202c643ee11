"""From logits to the one value by which a list is ordered."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

ENGAGE = "engage"


def probabilities(logits_CA: Tensor, outcomes: Sequence[str]) -> Tensor:
    """Return the probability of each outcome, float32 [C, A].

    The first outcome is engaging at all; the others are learned given that, and are multiplied by
    it here.
    """
    assert outcomes[0] == ENGAGE
    chances = torch.sigmoid(logits_CA)
    return torch.cat([chances[:, :1], chances[:, :1] * chances[:, 1:]], dim=1)


def values(
    probabilities_CA: Tensor, outcomes: Sequence[str], weights: Mapping[str, float]
) -> Tensor:
    """Return the weighted sum of the probabilities, float32 [C]; no weight is a weight of 0."""
    by_outcome = torch.tensor([weights.get(name, 0.0) for name in outcomes])
    return probabilities_CA @ by_outcome
