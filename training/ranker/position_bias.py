"""What an item owes to its place in the list, kept apart from what it owes to itself.

What stands first is looked at more. In learning from lists that were shown, each position adds its
own part to the logit, which serving leaves out (Guo et al., "PAL: a position-bias aware learning
framework for CTR prediction in live recommender systems", RecSys 2019, there as a factor).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.ranker.fusion_head import FusionHead
from models.ranker.packed_user import collate
from models.ranker.precision import mixed_precision
from models.ranker.ranker import Ranker
from training.ranker.packing import Packer
from training.ranker.padding import BATCH, MASKED, batches_of, padded
from training.shown import Shown

POSITIONS = 50
MEASURE_STEPS, MEASURE_RATE = 200, 0.05
Float64 = npt.NDArray[np.float64]


class PositionBias(nn.Module):
    """A logit for each position; the first has 0, those beyond POSITIONS that of the last."""

    def __init__(self) -> None:
        super().__init__()
        self.below_P = nn.Parameter(torch.zeros(POSITIONS - 1))

    def forward(self, positions: Tensor) -> Tensor:
        """Return the parts of positions, which count from 1, of any shape."""
        of_all = torch.cat([self.below_P.new_zeros(1), self.below_P])
        return of_all[positions.clamp(1, POSITIONS) - 1]


def learn_from_lists(
    ranker: Ranker,
    bias: PositionBias,
    shown: Sequence[Shown],
    optimizer: torch.optim.Optimizer,
    random: np.random.Generator,
) -> None:
    """Go through lists once: what was taken is learned against what was passed over beside it."""
    head = ranker.head
    assert isinstance(head, FusionHead)
    for some in batches_of(len(shown), random, BATCH):
        lists = [shown[place] for place in some]
        features, there = padded(ranker, lists)
        positions = torch.ones(there.shape, dtype=torch.long)
        for row, example in enumerate(lists):
            positions[row, : len(example.rows)] = torch.from_numpy(example.positions)
        logits = head.usual(features)[..., 0] + bias(positions)
        targets = torch.tensor([example.found_at for example in lists])
        loss = F.cross_entropy(logits.masked_fill(~there, MASKED), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def measured_bias(shown: Sequence[Shown], logits: Sequence[Tensor]) -> Float64:
    """Return the part of each position by which given logits explain best what was taken.

    logits: float32 [C] of each list. Returns float64 [LAST + 1] by position; 0 and 1 are the first.
    """
    longest = max(len(one.rows) for one in shown)
    placed = torch.ones(len(shown), longest, dtype=torch.long)
    fixed = torch.full((len(shown), longest), MASKED)
    for row, (one, own) in enumerate(zip(shown, logits, strict=True)):
        placed[row, : len(own)] = torch.from_numpy(one.positions)
        fixed[row, : len(own)] = own
    targets = torch.tensor([one.found_at for one in shown])
    bias = PositionBias()
    optimizer = torch.optim.Adam(bias.parameters(), lr=MEASURE_RATE)
    for _ in range(MEASURE_STEPS):
        F.cross_entropy(fixed + bias(placed), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    last = max(int(one.positions.max()) for one in shown)
    return bias(torch.arange(last + 1)).detach().double().numpy()


def shown_loss(
    ranker: Ranker, packer: Packer, bias: PositionBias, batch: Sequence[Sequence[Shown]]
) -> Tensor:
    """Return the loss of chunks of lists, through the whole ranker."""
    users = [
        packer.pack(chunk, [np.arange(len(example.rows)) for example in chunk]) for chunk in batch
    ]
    with mixed_precision():
        logits = ranker(collate(ranker.config, users))
    losses = []
    for row, chunk in zip(logits[..., 0].float(), batch, strict=True):
        start = 0
        for example in chunk:
            own = row[start : start + len(example.rows)]
            start += len(example.rows)
            placed = own + bias(torch.from_numpy(example.positions))
            losses.append(F.cross_entropy(placed[None], torch.tensor([example.found_at])))
    return torch.stack(losses).mean()
