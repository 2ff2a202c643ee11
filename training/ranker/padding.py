"""Examples side by side, for what learns from features alone."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from models.ranker.ranker import Ranker
from training.examples import Example

BATCH = 64
# The logit of a candidate that is not there.
MASKED = -1e9


def batches_of(count: int, random: np.random.Generator, size: int) -> Iterator[list[int]]:
    """Yield the places of examples in random order, some at a time."""
    order = random.permutation(count).tolist()
    for start in range(0, count, size):
        yield order[start : start + size]


def padded(ranker: Ranker, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Return standardised features [B, C, F] and which candidates are there [B, C]."""
    longest = max(len(example.rows) for example in examples)
    features = torch.zeros(len(examples), longest, len(ranker.config.features))
    there = torch.zeros(len(examples), longest, dtype=torch.bool)
    for row, example in enumerate(examples):
        features[row, : len(example.rows)] = torch.from_numpy(example.features.astype(np.float32))
        there[row, : len(example.rows)] = True
    return ranker.standardised(features), there
