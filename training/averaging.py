"""The moving average of a model's weights, which is better than any of them.

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992: steps scatter
around the optimum, and their mean is nearer to it.
"""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

# The share that an average of many steps keeps at each: it looks back about 50 of them.
KEPT_MOST = 0.98


def averaged(model: nn.Module) -> AveragedModel:
    """Return a copy of a model for `update_parameters` after each step."""
    return AveragedModel(model, avg_fn=_average)


def _average(average: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
    """Return the next average; it looks back further as there is more to look back to."""
    steps = int(count)
    kept = min(KEPT_MOST, (1 + steps) / (10 + steps))
    return average.lerp(new, 1.0 - kept)
