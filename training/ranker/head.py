"""Fitting the fusion head alone, before the language model joins it.

It is small, so it can learn from all of a target's candidates; the language model then starts from
a good ranking and learns what the features cannot say.
"""

from collections.abc import Sequence

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
from training.ranker.padding import BATCH, MASKED, batches_of, padded
from training.ranker.position_bias import PositionBias, learn_from_lists
from training.settings import TrainSettings
from training.shown import Shown

Float32 = npt.NDArray[np.float32]
LEARNING_RATE = 5e-3
POSITION_LEARNING_RATE = 5e-2
JUDGED_BATCH = 256
# Examples of a batch whose gradients are found at once: what they need stays within the caches.
AT_ONCE = 8


def fit_head(
    ranker: Ranker,
    examples: Sequence[Example],
    judged: Sequence[Example],
    shown: Sequence[Shown],
    labels: Labels,
    settings: TrainSettings,
    say: Say,
) -> PositionBias:
    """Fit the head's parts for users with history: of the first outcome by softmax of each target
    among its candidates, and of what was taken from lists that were shown; of the others by binary
    cross-entropy of judgements. Return what those lists owe to positions.
    """
    head = ranker.head
    assert isinstance(head, FusionHead)
    random = np.random.default_rng(settings.seed)
    bias = PositionBias()
    optimizer = torch.optim.AdamW(
        [*head.usual.parameters(), head.bias], lr=LEARNING_RATE, weight_decay=settings.weight_decay
    )
    # The bias must keep up, or features that put items first would take its part.
    optimizer.add_param_group(
        {"params": list(bias.parameters()), "lr": POSITION_LEARNING_RATE, "weight_decay": 0.0}
    )
    epochs = range(settings.head_epochs)
    for _ in tracked(epochs, len(epochs), "ranker, features alone, epochs", say):
        fit_order(ranker, head.usual, examples, optimizer, random)
        for some in batches_of(len(judged), random, JUDGED_BATCH):
            features, _ = padded(ranker, [judged[place] for place in some])
            logits = head.usual(features)[:, 0] + head.bias
            wanted = torch.stack([labels.of(judged[place]) for place in some])
            outcome_loss(logits[:, 1:], wanted, rating=ranker.rates).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        learn_from_lists(ranker, bias, shown, optimizer, random)
    return bias.requires_grad_(False)


def fit_order(
    ranker: Ranker,
    parts: FeatureParts,
    examples: Sequence[Example],
    optimizer: torch.optim.Optimizer,
    random: np.random.Generator,
    read_R: Tensor | None = None,
) -> None:
    """Go through examples once, to learn the order of candidates; read_R: the features that are
    read, None for all.
    """
    for some in batches_of(len(examples), random, BATCH):
        for start in range(0, len(some), AT_ONCE):
            chunk = [examples[place] for place in some[start : start + AT_ONCE]]
            features, there = padded(ranker, chunk)
            logits = parts(features, read_R)[..., 0].masked_fill(~there, MASKED)
            targets = torch.tensor([example.found_at for example in chunk])
            loss = F.cross_entropy(logits, targets, reduction="sum") / len(some)
            loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def head_logits(ranker: Ranker, example: Example) -> Float32:
    """Return the head's part of the first outcome's logit of all candidates, float32 [C]."""
    with torch.inference_mode():
        features, _ = padded(ranker, [example])
        new = torch.full_like(features, example.target.forget, dtype=torch.bool)
        logits: Float32 = ranker.head.of_features(features, new)[0, :, 0].numpy()
        return logits
