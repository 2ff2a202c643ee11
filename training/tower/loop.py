"""Fitting the user tower: epochs over users' sequences, the best by validation kept."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F

from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH
from features.item_table import ItemTable
from features.tower import TowerSpace
from models.ranker.precision import mixed_precision
from models.tower.config import TowerConfig
from models.tower.serving import ServedTower
from models.tower.tower import UserTower
from training.averaging import averaged
from training.checkpoint import NOWHERE, Checkpoint
from training.interactions import Interactions
from training.memory import give_back
from training.place import Loop, Place, load_weights, weights
from training.progress import Rate, Say, record, tracked
from training.ratings import mean_and_scale
from training.settings import TrainSettings
from training.tower.loss import all_or_sampled, next_item_loss
from training.tower.portions import portion
from training.tower.sequences import Sequences, batches_of, collate, sequences_of, windows_of
from training.tower.validation import Validation


@dataclass(frozen=True)
class FittedTower:
    """A tower with the vectors of a release's items.

    epochs, events: by which it was fitted. read: how many epochs its weights come from in all.
    """

    tower: UserTower
    served: ServedTower
    space: TowerSpace
    epochs: int
    events: int
    read: int = 0


def new_tower(
    known: Interactions,
    text_width: int,
    settings: TrainSettings,
    spaces: dict[str, int] | None = None,
) -> UserTower:
    """Return an untrained tower; items that nobody has used are known by their contents alone.

    spaces: widths of the items' media by space, none by default.
    """
    mean, scale = mean_and_scale(known.events.ratings)
    tower = UserTower(
        TowerConfig(
            items=known.items,
            text_width=text_width,
            spaces=spaces or {},
            event_width=EVENT_WIDTH,
            context_width=CONTEXT_WIDTH,
            rating_mean=mean,
            rating_scale=scale,
            width=settings.tower_width,
            layers=settings.tower_layers,
            heads=settings.tower_heads,
            dropout=settings.tower_dropout,
        )
    )
    unused = np.bincount(known.events.rows, minlength=known.items) == 0
    with torch.no_grad():
        tower.items.ids.weight[torch.from_numpy(unused)] = 0.0
    return tower


def fit_tower(
    tower: UserTower,
    base: ItemTable,
    known: Interactions,
    repeat: bool,
    settings: TrainSettings,
    say: Say,
    *,
    validate: Validation | None = None,
    epochs: int,
    read: int = 0,
    checkpoint: Checkpoint = NOWHERE,
    stage: str = "user tower",
) -> FittedTower:
    """Fit a tower in place on all that is known; with `validate` keep the best epoch's weights.

    Its weights are the moving average of those that the steps lead to.

    Without, it goes on from the weights that it has, for exactly so many epochs. read: the epochs
    that those come from.
    """
    done = checkpoint.finished(stage, tower)
    if done is not None:
        return _served(tower, base, known, done, read)
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    config = tower.config
    optimizer = torch.optim.AdamW(
        tower.parameters(), lr=settings.tower_learning_rate, weight_decay=settings.weight_decay
    )
    average = averaged(tower)
    smooth = cast(UserTower, average.module)
    loop = Loop(stage, tower, optimizer, random, average=average)
    place = checkpoint.restore(loop) or Place()
    left = range(place.epoch, epochs + 1)
    sequences: Sequences | None = None
    for epoch in tracked(left, len(left), "user tower, epochs at most", say):
        if place.ended(settings.tower_patience):
            break
        part = portion(known, settings.tower_events, read + epoch - 1, settings.seed)
        if sequences is None or part is not known:
            sequences = sequences_of(part, repeat, config.rating_mean, config.rating_scale)
        give_back()
        pace = Rate()
        loss = _epoch(tower, base, sequences, settings, loop, place, checkpoint, say)
        record(say, "tower/loss", loss)
        record(say, "tower/learning_rate", settings.tower_learning_rate)
        record(say, "tower/events_per_second", pace.of(len(part.events)))
        if validate is None:
            say(f"user tower, epoch {epoch}: loss {loss:.3f}")
        else:
            reached = validate.ndcg(_served(smooth, base, known, epoch, read).served)
            say(f"user tower, epoch {epoch}: loss {loss:.3f}, validation NDCG@10 {reached:.4f}")
            record(say, "tower/validation_ndcg@10", reached)
            place.judge(reached, smooth)
        checkpoint.turned(loop, place)
    load_weights(tower, place.best_state or weights(smooth))
    took = place.best_epoch or epochs
    checkpoint.finish(stage, took, tower)
    return _served(tower, base, known, took, read)


def _epoch(
    tower: UserTower,
    base: ItemTable,
    sequences: Sequences,
    settings: TrainSettings,
    loop: Loop,
    place: Place,
    checkpoint: Checkpoint,
    say: Say,
) -> float:
    tower.train()
    contents = torch.from_numpy(base.all_contents)
    random = loop.random

    def draw() -> list[list[tuple[int, int]]]:
        windows = windows_of(sequences, tower.config.max_history, random)
        return list(batches_of(windows, settings.tower_batch_events, random))

    left = place.drawn(random, draw)[place.step :]
    for some in tracked(left, len(left), f"user tower, epoch {place.epoch}, steps", say):
        batch = collate(sequences, some)
        targets_P = batch.next_rows_BL[batch.predicts_BL]
        classes = all_or_sampled(targets_P, sequences.used_U, settings.tower_negatives, random)
        # Each item's vector is computed once, for history and classes alike.
        rows, at = torch.unique(
            torch.cat([classes.rows_C, batch.rows_BL.flatten()]), return_inverse=True
        )
        with mixed_precision():
            vectors = tower.items(rows, contents[rows]).float()
            history = F.embedding(at[len(classes.rows_C) :].view(batch.rows_BL.shape), vectors)
            users = tower(
                history,
                batch.actions_BL,
                batch.features_BLE,
                batch.times_ms_BL,
                batch.next_ms_BL,
                batch.contexts_BLX,
            )
            class_vectors = F.embedding(at[: len(classes.rows_C)], vectors)
            loss = next_item_loss(users[batch.predicts_BL], targets_P, classes, class_vectors)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        loop.optimizer.step()
        loop.optimizer.zero_grad(set_to_none=True)
        if loop.average is not None:
            loop.average.update_parameters(tower)
        checkpoint.stepped(loop, place, float(loss.detach()))
    return float(np.mean(place.losses)) if place.losses else 0.0


def _served(
    tower: UserTower, base: ItemTable, known: Interactions, epochs: int, read: int
) -> FittedTower:
    """Return the tower with its items' vectors, ready to answer."""
    tower.eval()
    with torch.inference_mode():
        rows = torch.arange(len(base))
        vectors = tower.items(rows, torch.from_numpy(base.all_contents)).float()
    centred = vectors.numpy()
    mean = centred.mean(axis=0)
    projection = tower.items.projection().detach().numpy()
    space = TowerSpace(centred - mean, mean, projection)
    served = ServedTower(tower, vectors).eval()
    return FittedTower(tower, served, space, epochs, len(known.events), read + epochs)
