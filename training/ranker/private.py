"""Differentially private fine-tuning: what any one user changes is bounded, and hidden in noise.

DP-SGD (Abadi et al., "Deep learning with differential privacy", CCS 2016) with the user as the unit
(McMahan et al., "Learning differentially private recurrent language models", ICLR 2018).
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from opacus.accountants import RDPAccountant
from torch import Tensor

from training.examples import Example
from training.settings import TrainSettings

# Of a number of users as great as this or greater, delta is its inverse to the power of 1.1.
DELTA_MOST = 1e-5
Chunk = Sequence[Example]


class PrivateSteps:
    """Draws lots of users, and makes of their losses gradients that tell little of any of them.

    Draws and noise come from the system's entropy: who could guess them could take the noise away.
    So a private training gives other weights each time.
    """

    def __init__(self, chunks: Iterable[Chunk], settings: TrainSettings) -> None:
        """chunks: of examples, each of one user."""
        by_user: dict[int, list[Chunk]] = defaultdict(list)
        for chunk in chunks:
            by_user[chunk[0].target.user].append(chunk)
        self._users = list(by_user.values())
        self._clip, self._noise = settings.private_clip, settings.private_noise
        self.rate = min(1.0, settings.private_users / len(self._users))
        self.steps = round(1.0 / self.rate)
        self._generator = torch.Generator().manual_seed(secrets.randbits(63))

    def lots(self, random: np.random.Generator) -> list[list[Chunk]]:
        """Return an epoch's lots: each user is in each with the same chance, with one chunk."""
        return [
            [own[random.integers(len(own))] for own in self._users if random.random() < self.rate]
            for _ in range(self.steps)
        ]

    def gradients(self, parameters: Sequence[Tensor], losses: Iterable[Tensor]) -> float:
        """Leave in `parameters` the noisy mean of bounded gradients; return the losses' mean.

        losses: of a lot, one for each user; each is let go before the next is asked for.
        """
        total = [torch.zeros_like(parameter) for parameter in parameters]
        told = []
        for loss in losses:
            own = torch.autograd.grad(loss, parameters, allow_unused=True)
            norm = torch.sqrt(sum(g.square().sum() for g in own if g is not None))  # type: ignore[arg-type]
            factor = float(self._clip / max(float(norm), self._clip))
            for into, gradient in zip(total, own, strict=True):
                if gradient is not None:
                    into.add_(gradient, alpha=factor)
            told.append(float(loss.detach()))
        # The mean over as many as are expected: how many there were is private, too.
        expected = self.rate * len(self._users)
        for parameter, summed in zip(parameters, total, strict=True):
            noise = torch.empty_like(summed).normal_(generator=self._generator)
            parameter.grad = summed.add_(noise, alpha=self._noise * self._clip).div_(expected)
        return float(np.mean(told)) if told else 0.0

    def spent(self, steps: int) -> Mapping[str, float]:
        """Return epsilon and delta after so many steps, and what they follow from."""
        delta = min(DELTA_MOST, len(self._users) ** -1.1)
        accountant = RDPAccountant()
        accountant.history = [(self._noise, self.rate, steps)] if steps else []
        return {
            "epsilon": float(accountant.get_epsilon(delta)) if steps else 0.0,
            "delta": delta,
            "noise": self._noise,
            "clip": self._clip,
            "sampling_rate": self.rate,
            "steps": steps,
            "users": len(self._users),
        }
