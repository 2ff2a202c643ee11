"""Training the ranker: epochs over packed examples, the best by validation kept."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.ranker.config import TREES
from models.ranker.packed_user import collate
from models.ranker.precision import mixed_precision
from models.ranker.ranker import Ranker
from training.checkpoint import NOWHERE, Checkpoint
from training.examples import Example
from training.memory import give_back
from training.place import Loop, Place, load_weights, weights
from training.progress import Rate, Say, record, tracked
from training.ranker.head import fit_head, head_logits
from training.ranker.labels import Labels
from training.ranker.loss import outcome_loss, ranking_loss
from training.ranker.newcomers import fit_newcomers, let_newcomers_be_read, split_newcomers
from training.ranker.packing import Packer, batches, chunks, with_negatives
from training.ranker.position_bias import shown_loss
from training.ranker.private import PrivateSteps
from training.ranker.scoring import validation_ndcg
from training.ranker.trees import fit_trees
from training.settings import TrainSettings
from training.shown import Shown

WARM_UP_SHARE = 0.1
# Judgements of one user share a sequence; they cost one token each.
JUDGED_CHUNK = 32
JUDGED_MOST = 8
JUDGED_WEIGHT = 0.5
# Lists of about ten items, some of one user in a sequence.
SHOWN_CHUNK = 4
SHOWN_MOST = 8
SHOWN_WEIGHT = 0.5
WORSE = 0.95
TRIM_EVERY = 20


def train_ranker(
    ranker: Ranker,
    packer: Packer,
    learn: Sequence[Example],
    validate: Sequence[Example],
    judge: Sequence[Example],
    shown: Sequence[Shown],
    labels: Labels,
    settings: TrainSettings,
    say: Say,
    checkpoint: Checkpoint = NOWHERE,
) -> Mapping[str, float]:
    """Fit the ranker in place; return what private fine-tuning has spent, nothing without it.

    judge: judgements, whose outcomes are learned beside the order of candidates. shown: lists that
    were shown, from which the order is learned as well. Private fine-tuning reads neither.

    Targets that no source found are left out of learning: the ranker never meets them.
    """
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    learn = [example for example in learn if example.found_at >= 0 and len(example.rows) > 1]
    if not learn:
        say("ranker: nothing to learn from, as the sources find none of the targets")
        ranker.eval()
        return {}
    ranker.feature_scale.copy_(feature_scale(learn))
    # One candidate is taken of those that there are: begin at that level.
    ranker.head.bias.data[0] = -np.log(np.mean([len(example.rows) for example in learn]))
    if ranker.config.head == TREES:
        fit_trees(ranker, learn, validate, judge, labels, settings, say)
        reached = validation_ndcg(ranker, packer, validate)
        say(f"ranker, trees alone: validation NDCG@10 {reached:.4f}")
        record(say, "ranker/validation_ndcg@10", reached)
        return {}
    usual = [example for example in learn if not example.target.forget]
    new, check = split_newcomers([e for e in learn if e.target.forget], settings.seed)
    bias = fit_head(ranker, usual, judge, shown, labels, settings, say)
    fit_newcomers(ranker, new, check, settings, say)
    give_back()
    learn = [*usual, *new]
    hardness = {id(example): head_logits(ranker, example) for example in learn}
    torch.nn.init.zeros_(ranker.head.language.weight.detach())
    chunked = chunks(learn, settings.chunk_positions)
    judged, lists = chunks(judge, JUDGED_CHUNK), chunks(shown, SHOWN_CHUNK)
    optimizer = new_optimizer(ranker, settings)
    # Where there is much to learn from, more targets are worth more than more epochs.
    epochs = max(1, min(settings.epochs, round(settings.positions / len(learn))))
    private = PrivateSteps(chunked, settings) if settings.private_noise else None
    if private is not None:
        # Who knew which users a step has read would know more than epsilon says.
        random = np.random.default_rng()

    def draw() -> Sequence[Sequence[Sequence[Example]]]:
        if private is not None:
            return private.lots(random)
        return batches(chunked, settings.batch_positions, random)

    steps = epochs * len(draw())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step / steps))
    judged_at_once = min(-(-len(judged) * epochs // steps), JUDGED_MOST)
    lists_at_once = min(-(-len(lists) * epochs // steps), SHOWN_MOST)
    loop = Loop("ranker", ranker, optimizer, random, schedule)
    place = checkpoint.restore(loop)
    if place is None:
        alone = validation_ndcg(ranker, packer, validate)
        # What the features reach by themselves is kept only if the language model is clearly worse.
        place = Place(best=WORSE * alone, best_state=weights(ranker))
        say(f"ranker, features alone: validation NDCG@10 {alone:.4f}")
        record(say, "ranker/validation_ndcg@10", alone)
    epochs = epochs if ranker.config.language else 0
    done = place.epoch - 1
    for epoch in range(place.epoch, epochs + 1):
        if place.ended(settings.patience):
            break
        ranker.train()
        pace = Rate()
        some = place.drawn(random, draw)
        some = some[place.step :]
        for batch in tracked(
            some, len(some), f"ranker, epoch {epoch} of {epochs} at most, steps", say
        ):
            if private is not None:
                each = (
                    batch_loss(ranker, packer, [chunk], labels, hardness, settings, random)
                    for chunk in batch
                )
                lost = private.gradients(learned(optimizer), each)
            else:
                loss = batch_loss(ranker, packer, batch, labels, hardness, settings, random)
                if judged:
                    drawn = [judged[i] for i in random.integers(0, len(judged), judged_at_once)]
                    loss = loss + JUDGED_WEIGHT * judged_loss(ranker, packer, drawn, labels)
                if lists:
                    some_lists = [lists[i] for i in random.integers(0, len(lists), lists_at_once)]
                    loss = loss + SHOWN_WEIGHT * shown_loss(ranker, packer, bias, some_lists)
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(learned(optimizer), 1.0)
                lost = float(loss.detach())
            optimizer.step()
            ranker.zero_grad(set_to_none=True)
            record(say, "ranker/learning_rate", float(schedule.get_last_lr()[-1]))
            schedule.step()
            record(say, "ranker/loss", lost)
            record(say, "ranker/positions_per_second", pace.of(sum(map(len, batch))))
            checkpoint.stepped(loop, place, lost)
            if len(place.losses) % TRIM_EVERY == 0:
                give_back()
        reached, loss_mean = validation_ndcg(ranker, packer, validate), np.mean(place.losses)
        say(f"ranker, epoch {epoch}: loss {loss_mean:.3f}, validation NDCG@10 {reached:.4f}")
        record(say, "ranker/validation_ndcg@10", reached)
        place.judge(reached, ranker)
        checkpoint.turned(loop, place)
        done = epoch
    load_weights(ranker, place.best_state)
    ranker.eval()
    if ranker.config.language:
        if not place.best_epoch:
            say("ranker: the features alone are kept, and are served without the language model")
        let_newcomers_be_read(ranker, packer, check, say)
    if private is None:
        return {}
    spent = private.spent(done * private.steps)
    say(f"fine-tuning is private: epsilon {spent['epsilon']:.2f} at delta {spent['delta']:.1e}")
    return spent


def batch_loss(
    ranker: Ranker,
    packer: Packer,
    batch: Sequence[Sequence[Example]],
    labels: Labels,
    hardness: Mapping[int, npt.NDArray[np.float32]],
    settings: TrainSettings,
    random: np.random.Generator,
) -> Tensor:
    """Return the loss of a batch of chunks; hardness: logits of the features alone, by example."""
    size = settings.negatives + 1
    drawn = [
        [with_negatives(e, hardness[id(e)], settings.negatives, random) for e in chunk]
        for chunk in batch
    ]
    users = [
        packer.pack(chunk, [one.places for one in some])
        for chunk, some in zip(batch, drawn, strict=True)
    ]
    with mixed_precision():
        logits = ranker(collate(ranker.config, users))
    positions = torch.cat(
        [
            row[: len(chunk) * size].view(len(chunk), size, -1)
            for row, chunk in zip(logits, batch, strict=True)
        ]
    )
    flat = [example for chunk in batch for example in chunk]
    raised = torch.from_numpy(np.stack([one.raised for some in drawn for one in some]))
    wanted = torch.stack([labels.of(e) for e in flat])
    return ranking_loss(positions.float(), wanted, raised, rating=ranker.rates)


def judged_loss(
    ranker: Ranker, packer: Packer, batch: Sequence[Sequence[Example]], labels: Labels
) -> Tensor:
    """Return the loss of judgements, each of a single candidate."""
    only = np.zeros(1, np.int64)
    users = [packer.pack(chunk, [only] * len(chunk)) for chunk in batch]
    with mixed_precision():
        logits = ranker(collate(ranker.config, users))
    flat = torch.cat([row[: len(chunk)] for row, chunk in zip(logits, batch, strict=True)])
    wanted = torch.stack([labels.of(example) for chunk in batch for example in chunk])
    return outcome_loss(flat[:, 1:].float(), wanted, rating=ranker.rates)


def rate(done: float) -> float:
    """Return the learning rate's factor: a linear rise, then a linear fall to a tenth."""
    if done < WARM_UP_SHARE:
        return done / WARM_UP_SHARE
    return max(0.1, 1.0 - 0.9 * (done - WARM_UP_SHARE) / (1.0 - WARM_UP_SHARE))


def new_optimizer(ranker: Ranker, settings: TrainSettings) -> torch.optim.AdamW:
    """Return AdamW: small steps for the pretrained part, larger ones for what starts from nothing.

    The words' own embeddings stay as they are: most words are never seen in training.
    """
    ranker.language_model.get_input_embeddings().requires_grad_(False)
    pretrained = [p for p in ranker.language_model.parameters() if p.requires_grad]
    head = ranker.head.named_parameters()
    # What newcomers are ranked by was chosen for them, and stays.
    chosen = [parameter for name, parameter in head if not name.startswith("newcomers.")]
    fresh = [*ranker.tokens.parameters(), *chosen]
    return torch.optim.AdamW(
        [
            {"params": pretrained, "lr": settings.lm_learning_rate},
            {"params": fresh, "lr": settings.learning_rate},
        ],
        weight_decay=settings.weight_decay,
        # One pass over memory in place of several: half the time of a step (measured).
        fused=True,
    )


def learned(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Return the parameters that an optimizer changes."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def feature_scale(examples: Sequence[Example]) -> Tensor:
    """Return each feature's root mean square over a sample of candidates, float32 [features]."""
    sample = np.concatenate([e.features for e in examples[:: max(1, len(examples) // 500)]])
    scale = np.sqrt(np.mean(np.square(sample.astype(np.float32)), axis=0))
    return torch.from_numpy(np.where(scale > 1e-6, scale, 1.0).astype(np.float32))
