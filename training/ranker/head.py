"""Fitting the fusion head alone, before the language model joins it.

It is small, so it can learn from all of a target's candidates; the language model then starts from
a good ranking and learns what the features cannot say.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from models.ranker.fusion_head import FeatureParts, FusionHead
from models.ranker.ranker import Ranker
from training.examples import Example
from training.progress import Say, tracked
from training.ranker.labels import Labels
from training.ranker.loss import outcome_loss
from training.settings import TrainSettings

Float32 = npt.NDArray[np.float32]
LEARNING_RATE = 5e-3
BATCH = 64
JUDGED_BATCH = 256
MASKED = -1e9


def fit_head(
    ranker: Ranker,
    examples: Sequence[Example],
    judged: Sequence[Example],
    labels: Labels,
    settings: TrainSettings,
    say: Say,
) -> None:
    """Fit the head's parts for users with history: of the first outcome by softmax of each target
    among its candidates, of the others by binary cross-entropy of judgements.
    """
    head = ranker.head
    assert isinstance(head, FusionHead)
    random = np.random.default_rng(settings.seed)
    optimizer = torch.optim.AdamW(
        [*head.usual.parameters(), head.bias], lr=LEARNING_RATE, weight_decay=settings.weight_decay
    )
    epochs = range(settings.head_epochs)
    for _ in tracked(epochs, len(epochs), "ranker, features alone, epochs", say):
        fit_order(ranker, head.usual, examples, optimizer, random)
        for some in _batches(len(judged), random, JUDGED_BATCH):
            features, _ = padded(ranker, [judged[place] for place in some])
            logits = head.usual(features)[:, 0] + head.bias
            wanted = torch.stack([labels.of(judged[place]) for place in some])
            outcome_loss(logits[:, 1:], wanted, rating=ranker.rates).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def fit_order(
    ranker: Ranker,
    parts: FeatureParts,
    examples: Sequence[Example],
    optimizer: torch.optim.Optimizer,
    random: np.random.Generator,
    seen_F: Tensor | None = None,
) -> None:
    """Go through examples once, to learn the order of candidates; seen_F: 1 for features that are
    read, 0 for others.
    """
    for some in _batches(len(examples), random):
        features, there = padded(ranker, [examples[place] for place in some])
        seen = features if seen_F is None else features * seen_F
        logits = parts(seen)[..., 0].masked_fill(~there, MASKED)
        targets = torch.tensor([examples[place].found_at for place in some])
        F.cross_entropy(logits, targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def head_logits(ranker: Ranker, example: Example) -> Float32:
    """Return the head's part of the first outcome's logit of all candidates, float32 [C]."""
    with torch.inference_mode():
        features, _ = padded(ranker, [example])
        new = torch.full_like(features, example.target.forget, dtype=torch.bool)
        logits: Float32 = ranker.head.of_features(features, new)[0, :, 0].numpy()
        return logits


def _batches(count: int, random: np.random.Generator, size: int = BATCH) -> Iterator[list[int]]:
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
