"""From logits to the one value by which a list is ordered."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

ENGAGE = "engage"
# No action but a number: the rating that the user would give, in standard deviations from the mean.
RATING = "rating"


def probabilities(logits_CA: Tensor, outcomes: Sequence[str]) -> Tensor:
    """Return the probability of each outcome, float32 [C, A].

    The first outcome is engaging at all; the others are learned given that, and are multiplied by
    it here. The rating has none: 0.
    """
    assert outcomes[0] == ENGAGE
    chances = torch.sigmoid(logits_CA)
    given = chances[:, 1:] * torch.tensor([name != RATING for name in outcomes[1:]])
    return torch.cat([chances[:, :1], chances[:, :1] * given], dim=1)


def expected_ratings(
    logits_CA: Tensor, outcomes: Sequence[str], mean: float, scale: float
) -> Tensor | None:
    """Return the rating that each candidate would get, float32 [C], None where none is learned.

    mean, scale: of the data set's ratings, in whose scale the answer is.
    """
    if RATING not in outcomes:
        return None
    return mean + scale * logits_CA[:, list(outcomes).index(RATING)]


def values(
    probabilities_CA: Tensor, outcomes: Sequence[str], weights: Mapping[str, float]
) -> Tensor:
    """Return the weighted sum of the probabilities, float32 [C]; no weight is a weight of 0."""
    by_outcome = torch.tensor([weights.get(name, 0.0) for name in outcomes])
    return probabilities_CA @ by_outcome
