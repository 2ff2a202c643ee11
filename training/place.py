"""Where a training loop is: all that it needs to go on as if it had never stopped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

T = TypeVar("T")


@dataclass(frozen=True)
class Loop:
    """What a training loop changes at each step. average: of the model's weights, if it has one."""

    stage: str
    model: nn.Module
    optimizer: torch.optim.Optimizer
    random: np.random.Generator
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None
    average: AveragedModel | None = None


@dataclass
class Place:
    """How far a loop is.

    epoch: from 1. step: how many were done in it, with their losses. stale: epochs since the best.
    begun: the state of the random numbers when the epoch began.
    """

    epoch: int = 1
    step: int = 0
    losses: list[float] = field(default_factory=list)
    best: float = -1.0
    best_epoch: int = 0
    stale: int = 0
    begun: Mapping[str, Any] = field(default_factory=dict)
    best_state: dict[str, Tensor] = field(default_factory=dict)

    def drawn(self, random: np.random.Generator, draw: Callable[[], T]) -> T:
        """Return what an epoch draws at its beginning; in its midst, draw the same once more."""
        now = random.bit_generator.state
        if self.step == 0:
            self.begun = now
            return draw()
        random.bit_generator.state = self.begun
        again = draw()
        random.bit_generator.state = now
        return again

    def judge(self, reached: float, model: nn.Module) -> None:
        """Keep the weights of the epoch if it is the best so far."""
        self.stale += 1
        if reached > self.best:
            self.best, self.best_epoch, self.stale = reached, self.epoch, 0
            self.best_state = weights(model)

    def ended(self, patience: int) -> bool:
        """Return whether enough epochs have passed since the best."""
        return self.stale >= max(patience, 1)


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of what a model learns; what is frozen is as it was when training began."""
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    return {n: value.clone() for n, value in model.state_dict().items() if n not in frozen}


def load_weights(model: nn.Module, known: Mapping[str, Tensor]) -> None:
    """Give a model the weights that it learned, and leave the others."""
    model.load_state_dict({**model.state_dict(), **known})
