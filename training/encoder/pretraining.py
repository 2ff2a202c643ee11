"""Masked-language-model training on a catalogue's texts, the best by held-out loss kept."""

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.ranker.precision import mixed_precision
from training.encoder.masked_model import MaskedModel
from training.encoder.masking import masked
from training.encoder.settings import PretrainSettings
from training.encoder.texts import Tokens, batches_of
from training.progress import Say, tracked

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Losses:
    """Held-out losses in nats per hidden token, and the steps after which the best was reached.

    untouched: with a head that knows nothing. before: with the head fitted to the encoder as it
    came. after: of the weights that were kept.
    """

    untouched: float
    before: float
    after: float
    steps: int


def held_out(count: int, settings: PretrainSettings) -> tuple[list[int], list[int]]:
    """Divide `count` texts into those to learn from and those to measure on, at random."""
    order = np.random.default_rng(settings.seed).permutation(count).tolist()
    size = min(max(1, round(settings.held_out_share * count)), settings.held_out_most)
    return sorted(order[size:]), sorted(order[:size])


def pretrain(
    model: MaskedModel,
    learn: Tokens,
    measure: Tokens,
    anchors: Float32,
    settings: PretrainSettings,
    say: Say,
) -> Losses:
    """Train in place. anchors: float32 [texts to learn from, D], their vectors before."""
    untouched = held_out_loss(model, measure, settings)
    model.encoder.requires_grad_(False)
    _run(model, learn, anchors, settings, settings.head_steps, "encoder, head", say)
    model.encoder.requires_grad_(True)
    before = held_out_loss(model, measure, settings)
    say(f"encoder as it came, with a fitted head: held-out loss {before:.3f}")

    every = max(1, settings.steps // max(settings.looks, 1))
    best, best_steps, stale = before, 0, 0
    best_state = copy.deepcopy(model.state_dict())
    training = _Training(model, learn, anchors, settings, settings.steps)
    for look in range(1, settings.steps // every + 1):
        steps = tracked(range(every), every, f"encoder, look {look}, steps", say)
        loss = np.mean([training.step() for _ in steps])
        reached = held_out_loss(model, measure, settings)
        say(f"encoder, step {look * every}: loss {loss:.3f}, held-out loss {reached:.3f}")
        if reached < best:
            best, best_steps, stale = reached, look * every, 0
            best_state = copy.deepcopy(model.state_dict())
        else:
            stale += 1
            if stale >= settings.patience:
                break
    model.load_state_dict(best_state)
    model.eval()
    return Losses(untouched, before, best, best_steps)


def held_out_loss(model: MaskedModel, tokens: Tokens, settings: PretrainSettings) -> float:
    """Return the mean cross-entropy of hidden tokens, the same ones whenever it is asked."""
    model.eval()
    generator = torch.Generator().manual_seed(settings.seed)
    total, count = 0.0, 0
    for start in range(0, len(tokens), settings.batch_texts):
        places = range(start, min(start + settings.batch_texts, len(tokens)))
        ids, words = tokens.batch(places)
        read, hidden = masked(ids, words, tokens.mask_id, tokens.vocabulary, generator)
        with torch.inference_mode():
            with mixed_precision():
                states = model.states(read)
            losses = model.losses(states, hidden, ids)
        total, count = total + float(losses.sum()), count + len(losses)
    return total / max(count, 1)


class _Training:
    """Takes one step after another."""

    def __init__(
        self,
        model: MaskedModel,
        learn: Tokens,
        anchors: Float32,
        settings: PretrainSettings,
        steps: int,
    ) -> None:
        self.model, self.learn, self.anchors, self.settings = model, learn, anchors, settings
        self.generator = torch.Generator().manual_seed(settings.seed + 1)
        random = np.random.default_rng(settings.seed + 1)
        self.batches = batches_of(learn, settings.batch_texts, random)
        pretrained = [p for p in model.encoder.parameters() if p.requires_grad]
        parameters = [
            {"params": pretrained, "lr": settings.learning_rate},
            {"params": model.head_parameters(), "lr": settings.head_learning_rate},
        ]
        self.optimizer = torch.optim.AdamW(
            [group for group in parameters if group["params"]], weight_decay=settings.weight_decay
        )
        rise = max(1.0, settings.warm_up_share * steps)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / rise, max(0.0, (steps - step) / max(steps - rise, 1))),
        )

    def step(self) -> float:
        """Learn from one batch and return its loss."""
        self.model.train()
        places = next(self.batches)
        ids, words = self.learn.batch(places)
        read, hidden = masked(ids, words, self.learn.mask_id, self.learn.vocabulary, self.generator)
        with mixed_precision():
            states = self.model.states(read)
        loss = self.model.losses(states, hidden, ids).mean()
        total = loss
        if self.settings.anchor:
            anchors = torch.from_numpy(self.anchors[places])
            near = (self.model.pooled(states.float(), ids) * anchors).sum(-1).mean()
            total = loss + self.settings.anchor * (1.0 - near)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        return float(loss.detach())


def _run(
    model: MaskedModel,
    learn: Tokens,
    anchors: Float32,
    settings: PretrainSettings,
    steps: int,
    what: str,
    say: Say,
) -> None:
    training = _Training(model, learn, anchors, settings, steps)
    for _ in tracked(range(steps), steps, f"{what}, steps", say):
        training.step()
