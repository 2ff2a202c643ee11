"""Two towers on behaviour, one encoder for both: the best by recall of the next item kept."""

import copy
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from training.encoder.behaviour import Behaviour
from training.encoder.contrast import contrast
from training.encoder.model import TextModel, encode
from training.encoder.settings import BehaviourSettings
from training.encoder.texts import Tokens
from training.progress import Say, tracked

Float32 = npt.NDArray[np.float32]
READ_AT_ONCE = 32
# How much longer a text takes with gradients than without, the rest of the step included.
LEARN_BY_READ = 9.0


def fine_tune(
    model: TextModel,
    tokens: Tokens,
    before: Float32,
    behaviour: Behaviour,
    recall: Callable[[Float32], float],
    settings: BehaviourSettings,
    say: Say,
) -> tuple[Float32, int]:
    """Train in place; return the texts' vectors [texts, D] after, and the steps that led there.

    before: float32 [texts, D], the vectors as the encoder came. recall: of vectors [texts, D], what
    is to be raised; the weights with the highest are kept, the first ones if none is higher.
    """
    every = max(1, settings.steps // max(settings.looks, 1))
    best, best_steps, best_vectors, stale = recall(before), 0, before, 0
    best_state = copy.deepcopy(model.encoder.state_dict())
    say(f"encoder as it came: recall {best:.4f}")
    training = _Training(model, tokens, before, behaviour, settings)
    for look in range(1, settings.steps // every + 1):
        steps = tracked(range(every), every, f"encoder, look {look}, steps", say)
        loss = np.mean([training.step() for _ in steps])
        vectors = encode(model, tokens, say)
        training.look_at(vectors)
        reached = recall(vectors)
        say(f"encoder, step {look * every}: loss {loss:.3f}, recall {reached:.4f}")
        if reached > best:
            best, best_steps, best_vectors, stale = reached, look * every, vectors, 0
            best_state = copy.deepcopy(model.encoder.state_dict())
        else:
            stale += 1
            if stale >= settings.patience:
                break
    model.encoder.load_state_dict(best_state)
    return best_vectors, best_steps


def minutes_of(texts: int, seconds_for_all: float, settings: BehaviourSettings) -> float:
    """Return about how long `fine_tune` takes, where reading all texts once takes so long."""
    learned = settings.steps * settings.batch_texts / texts * LEARN_BY_READ
    return (learned + settings.looks) * seconds_for_all / 60


class _Training:
    """Takes one step after another.

    The loss is of many moments and hence of more texts than can be read in a step. So its gradient
    is taken with respect to vectors that are kept, and then led on into the encoder text by text,
    as in Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
    RepL4NLP 2021. Unlike there, only some of the texts are read again: drawn in proportion to how
    long each one's gradient is, and weighted so that the sum is right in the mean. Their kept
    vectors become the new ones; the others stay older until the next look at all texts.
    """

    def __init__(
        self,
        model: TextModel,
        tokens: Tokens,
        before: Float32,
        behaviour: Behaviour,
        settings: BehaviourSettings,
    ) -> None:
        self.model, self.tokens, self.behaviour, self.settings = model, tokens, behaviour, settings
        self.random = np.random.default_rng(settings.seed)
        self.anchors = torch.from_numpy(before)
        self.look_at(before)
        self.chances = torch.from_numpy(behaviour.chances(settings.moments))
        self.optimizer = torch.optim.AdamW(
            model.encoder.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        steps, rise = settings.steps, max(1.0, settings.warm_up_share * settings.steps)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / rise, max(0.0, (steps - step) / max(steps - rise, 1))),
        )

    def look_at(self, vectors: Float32) -> None:
        """Keep the vectors of all texts."""
        self.vectors = torch.from_numpy(vectors.copy())

    def step(self) -> float:
        """Learn from one batch and return its loss."""
        settings = self.settings
        moments = self.behaviour.draw(settings.moments, self.random)
        vectors = self.vectors.detach().requires_grad_()
        loss = contrast(
            moments, vectors, self.chances, settings.hard_negatives, settings.temperature
        )
        (pull_TD,) = torch.autograd.grad(loss, vectors)
        lengths = pull_TD.norm(dim=1).double().numpy()
        texts, weights = drawn(lengths, settings.batch_texts, self.random)
        order = np.argsort([len(self.tokens.ids[text]) for text in texts], kind="stable")
        texts, weights = texts[order], weights[order]
        # Without dropout: the vectors that are kept are compared with those of other steps.
        self.model.eval()
        for start in range(0, len(texts), READ_AT_ONCE):
            some = torch.from_numpy(texts[start : start + READ_AT_ONCE])
            weight = torch.from_numpy(weights[start : start + READ_AT_ONCE])
            read = self.model(self.tokens.batch(some.tolist())[0])
            far = (1.0 - (read * self.anchors[some]).sum(-1)).sum() / len(texts)
            moved = ((read * pull_TD[some]).sum(-1) * weight).sum()
            (moved + settings.anchor * far).backward()
            self.vectors[some] = read.detach()
        torch.nn.utils.clip_grad_norm_(self.model.encoder.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        return float(loss.detach())


def drawn(
    lengths: npt.NDArray[np.float64], count: int, random: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Draw `count` times in proportion to lengths [n]; return what was drawn, once, and weights.

    In the mean over draws every place with a length has weight 1.
    """
    chance = lengths / lengths.sum()
    places, times = np.unique(random.choice(len(chance), size=count, p=chance), return_counts=True)
    return places, (times / (count * chance[places])).astype(np.float32)


def timed(model: TextModel, tokens: Tokens, say: Say) -> tuple[Float32, float]:
    """Return the texts' vectors [texts, D] and the seconds that reading them took."""
    start = time.monotonic()
    vectors = encode(model, tokens, say)
    return vectors, time.monotonic() - start
