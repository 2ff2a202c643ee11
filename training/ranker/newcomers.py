"""What newcomers' lists are ordered by: users without history, of whom at most words are known.

There are few of them to learn from, and little tells their targets apart, so that all features
together would learn chance. The least that does is kept; more has to be clearly better on newcomers
that were not learned from.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from features.candidates import HIT_FEATURES
from models.ranker.fusion_head import FeatureParts, FusionHead
from models.ranker.ranker import Ranker
from training.clearly import clearly_better
from training.evaluation.metrics import ndcg
from training.examples import Example
from training.progress import Say
from training.ranker.head import LEARNING_RATE, fit_order
from training.ranker.packing import Packer
from training.ranker.padding import BATCH, padded
from training.ranker.scoring import place_of, scored
from training.settings import TrainSettings

Float64 = npt.NDArray[np.float64]
# Fewer would teach chance: what is learned of other users has to do.
LEAST = 100
# Of the users, so many are kept to choose by.
CHECK_SHARE = 1 / 3
# Parts begin at nothing: it takes so many steps to get anywhere.
STEPS_LEAST = 150
TASTE = "popular_with_taste"


def split_newcomers(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Return examples of newcomers to learn from and others to choose by, of other users."""
    users = np.unique([example.target.user for example in examples])
    most = int(CHECK_SHARE * len(users))
    kept = set(np.random.default_rng(seed).permutation(users)[:most].tolist())
    learn = [example for example in examples if example.target.user not in kept]
    return learn, [example for example in examples if example.target.user in kept]


def fit_newcomers(
    ranker: Ranker,
    learn: Sequence[Example],
    check: Sequence[Example],
    settings: TrainSettings,
    say: Say,
) -> None:
    """Fit the head's parts for newcomers: of the first outcome their own, of the others the usual.

    What they read is chosen by `check`, and then learned from both.
    """
    head = ranker.head
    assert isinstance(head, FusionHead)
    head.newcomers.begin_as(head.usual)
    if len(learn) < LEAST:
        say(f"newcomers: {len(learn)} to learn from are too few, they are ranked as others are")
        return
    choices = _choices(ranker)
    chosen, best = "", np.zeros(len(check))
    for name, read in choices.items():
        _fit(ranker, head, learn, read, settings)
        worth = _ndcg(ranker, head.newcomers, check, read)
        say(f"newcomers, by {name}: NDCG@10 {worth.mean():.4f} of targets that were found")
        if not chosen or clearly_better(worth - best):
            chosen, best = name, worth
    say(f"newcomers are ranked by {chosen}")
    _fit(ranker, head, [*learn, *check], choices[chosen], settings)


def let_newcomers_be_read(
    ranker: Ranker, packer: Packer, check: Sequence[Example], say: Say
) -> None:
    """Have the language model tell of newcomers only if their lists are clearly better by it."""
    head = ranker.head
    assert isinstance(head, FusionHead)
    worth = {}
    for reads in (False, True):
        head.reads_newcomers.fill_(reads)
        told = zip(scored(ranker, packer, check), check, strict=True)
        places = [place_of(example.found_at, logits[:, 0]) for logits, example in told]
        worth[reads] = ndcg(np.array(places, np.int64), 10)
    better = clearly_better(worth[True] - worth[False])
    head.reads_newcomers.fill_(better)
    say(f"newcomers are ranked {'with' if better else 'without'} the language model")


def _choices(ranker: Ranker) -> dict[str, Tensor]:
    """Return what may be read, from least to most, as places of features, int64 [R]."""
    names = ranker.config.features
    return {
        "what their taste likes": _places(name == TASTE for name in names),
        "all but how they were found": _places(name not in HIT_FEATURES for name in names),
        "all features": torch.arange(len(names)),
    }


def _places(chosen: Iterable[bool]) -> Tensor:
    return torch.tensor([place for place, one in enumerate(chosen) if one], dtype=torch.int64)


def _fit(
    ranker: Ranker,
    head: FusionHead,
    examples: Sequence[Example],
    read_R: Tensor,
    settings: TrainSettings,
) -> None:
    parts = head.newcomers
    parts.begin_as(head.usual)
    parts.clear(outcome=0)
    random = np.random.default_rng(settings.seed)
    optimizer = torch.optim.AdamW(
        parts.parameters(), lr=LEARNING_RATE, weight_decay=settings.weight_decay
    )
    epochs = max(settings.head_epochs, -(-STEPS_LEAST * BATCH // len(examples)))
    for _ in range(epochs):
        fit_order(ranker, parts, examples, optimizer, random, read_R)


def _ndcg(
    ranker: Ranker,
    parts: FeatureParts,
    examples: Sequence[Example],
    read_R: Tensor,
) -> Float64:
    places = []
    with torch.inference_mode():
        for example in examples:
            features, _ = padded(ranker, [example])
            places.append(place_of(example.found_at, parts(features, read_R)[0, :, 0]))
    return ndcg(np.array(places, np.int64), 10)
