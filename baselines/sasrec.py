"""SASRec: a causal transformer over the user's items, by RecTools, trained with cross-entropy.

Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018; softmax over the catalogue
in place of sampled binary cross-entropy after Klenitskiy and Vasilev, "Turning Dross Into Gold
Loss", RecSys 2023.
"""

import logging
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.transformers.data_preparator import SequenceDataset
from rectools.models.nn.transformers.lightning import TransformerLightningModule
from rectools.models.nn.transformers.sasrec import SASRecDataPreparator
from torch.utils.data import DataLoader, Sampler

from baselines.ranking import Scorer
from baselines.trial import Events, Float32, Int64, Requests, Trial
from baselines.validation import Epochs, Settings, after, choose_epochs

torch.set_num_threads(2)
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="pytorch_lightning")
warnings.filterwarnings("ignore", module="(rectools|pydantic)")

CHUNK = 256
LEAST_BATCH, LEAST_STEPS = 256, 50
LEAST_EPOCHS, MOST_EPOCHS = 6, 40
WIDTH_OF_REST = 7_000
COST_OF_TRIAL, COST_OF_GRID = 2e11, 5e9
PRODUCTS = torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
GRID: list[Settings] = [
    {"factors": 64, "length": 100, "dropout": dropout, "learning_rate": 2e-3, "batch": 1200}
    for dropout in (0.5, 0.2)
]
STEP = 2


def choose(trial: Trial, seed: int, budget: int | None) -> tuple[Settings, list[Settings]]:
    """Choose settings and epochs on validation, fewer of both the more an epoch costs.

    What an epoch costs goes with events x (items + WIDTH_OF_REST): the softmax over the items, and
    all the rest of the network, which costs about as much as WIDTH_OF_REST items would.
    """
    cost = len(trial.known) * (trial.items + WIDTH_OF_REST)
    most = int(min(max(COST_OF_TRIAL / max(cost, 1), LEAST_EPOCHS), MOST_EPOCHS))
    grid = GRID[:budget] if cost <= COST_OF_GRID else GRID[:1]
    epochs = Epochs(STEP, most // STEP * STEP, patience=5)
    return choose_epochs(train, grid, epochs, trial, seed)


def fit(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Train for settings["epochs"]."""
    return after(train(events, trial, settings, seed), STEP, settings["epochs"])


class _SoftmaxLoss(torch.autograd.Function):
    """Mean cross-entropy over the catalogue, a few rows at a time.

    Logits of all rows at once would be read from and written to memory many times over; gradients
    are worked out in the same pass, while a chunk of logits is still in the cache.
    """

    @staticmethod
    def forward(
        ctx: Any, sessions: torch.Tensor, items: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        """Take sessions [n, d], items [m, d] and targets [n] below m; return a scalar."""
        of_sessions, of_items = torch.empty_like(sessions), torch.zeros_like(items)
        total, narrow = sessions.new_zeros(()), items.to(PRODUCTS)
        for low in range(0, len(sessions), CHUNK):
            rows, wanted = (
                sessions[low : low + CHUNK].to(PRODUCTS),
                targets[low : low + CHUNK, None],
            )
            weights = (rows @ narrow.T).to(items.dtype)
            weights -= weights.amax(dim=1, keepdim=True)
            total -= weights.gather(1, wanted).sum()
            sums = weights.exp_().sum(dim=1, keepdim=True)
            total += sums.log().sum()
            weights /= sums
            weights.scatter_add_(1, wanted, -torch.ones_like(sums))
            weights = weights.to(PRODUCTS)
            of_sessions[low : low + CHUNK] = weights @ narrow
            of_items += weights.T @ rows
        ctx.save_for_backward(of_sessions / len(sessions), of_items / len(sessions))
        return total / len(sessions)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        """Return the gradients of sessions and items."""
        of_sessions, of_items = ctx.saved_tensors
        return gradient * of_sessions, gradient * of_items, None


class _Training(TransformerLightningModule):
    """RecTools' training with its softmax loss, worked out only where there is a target."""

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Return the mean loss of the batch's targets."""
        del batch_idx
        items = self.torch_model.item_model.get_all_embeddings()
        sessions = self.torch_model.encode_sessions(batch, items)
        real = batch["y"] != 0
        loss: torch.Tensor = _SoftmaxLoss.apply(sessions[real], items, batch["y"][real])
        return loss


class _Preparation(SASRecDataPreparator):
    """RecTools' batches, but of sessions of like length, as many as make `batch_size` positions.

    Padding is nearly gone, so that short histories cost what they hold.
    """

    def get_dataloader_train(self) -> DataLoader[Any]:
        """Return batches that are drawn anew in every epoch."""
        sessions = SequenceDataset.from_interactions(self.train_dataset.interactions.df)
        lengths = np.array([len(session) - 1 for session in sessions.sessions])
        batches = _Batches(lengths, self.batch_size)
        return DataLoader(sessions, batch_sampler=batches, collate_fn=self._collate_fn_train)

    def _collate_fn_train(self, batch: list[Any]) -> dict[str, torch.Tensor]:
        longest = max(len(session) for session, *_ in batch) - 1
        return {
            # Positions are counted from the right, so padding on the left can go.
            name: values[:, -longest:]
            for name, values in super()._collate_fn_train(batch).items()
        }


class _Batches(Sampler[list[int]]):
    """Batches of sessions whose padded size is at most `size` positions, or one session."""

    def __init__(self, lengths: Int64, size: int) -> None:
        self.lengths, self.size = lengths, size

    def __iter__(self) -> Iterator[list[int]]:
        """Draw sessions that have similar lengths; batches come in random order."""
        noise = torch.rand(len(self.lengths)).numpy()
        # Rounded up to the next power of sqrt(2), lengths that differ little mix freely.
        similar = np.ceil(2 * np.log2(np.maximum(self.lengths, 1)))
        batches: list[list[int]] = []
        batch: list[int] = []
        longest = 0
        for session in np.lexsort((noise, similar)).tolist():
            longest = max(longest, int(self.lengths[session]))
            if batch and longest * (len(batch) + 1) > self.size:
                batches.append(batch)
                batch, longest = [], int(self.lengths[session])
            batch.append(session)
        batches.append(batch)
        for place in torch.randperm(len(batches)):
            yield batches[place]


def train(events: Events, trial: Trial, settings: Settings, seed: int) -> Iterator[Scorer]:
    """Train on; yield a scorer after every STEP epochs, good until the next is asked for.

    With few events, batches are smaller, and an epoch goes over all of them as often as it takes to
    make LEAST_STEPS steps.
    """
    batch = min(settings["batch"], max(LEAST_BATCH, len(events) // LEAST_STEPS))
    passes = STEP * math.ceil(LEAST_STEPS / math.ceil(len(events) / batch))
    seed_everything(seed, verbose=False)
    model = SASRecModel(
        n_blocks=2,
        n_heads=2,
        n_factors=settings["factors"],
        dropout_rate=settings["dropout"],
        session_max_len=settings["length"],
        use_key_padding_mask=True,
        loss="softmax",
        lr=settings["learning_rate"],
        batch_size=batch,
        data_preparator_type=_Preparation,
        lightning_module_type=_Training,
        get_trainer_func=_trainer,
    )
    dataset = _sessions(events, trial, settings["length"])
    while True:
        model.fit_partial(dataset, min_epochs=passes, max_epochs=passes)
        yield _scorer(model, trial.items)


def _trainer() -> Trainer:
    return Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _sessions(events: Events, trial: Trial, length: int) -> Dataset:
    """Cut each user's events into sessions of `length` targets, from the newest back.

    RecTools learns from the newest events of a user only; cut up, all of them are targets once. A
    session begins with the event before its first target, which is input alone.
    """
    starts = events.starts(trial.users)
    counts = np.diff(starts)
    from_end = np.repeat(starts[1:], counts) - 1 - np.arange(len(events))
    session = (from_end // length).astype(np.int64) * trial.users + events.user
    place = np.arange(len(events))
    first = place[(from_end % length == length - 1) & (place > np.repeat(starts[:-1], counts))]
    place = np.concatenate([place, first - 1])
    session = np.concatenate([session, session[first]])
    frame = pd.DataFrame(
        {
            Columns.User: session,
            Columns.Item: events.item[place],
            Columns.Weight: 1.0,
            # Their order is what counts, ties in time included.
            Columns.Datetime: pd.to_datetime(place, unit="s"),
        }
    )
    return Dataset.construct(frame.sort_values([Columns.User, Columns.Datetime]))


def _scorer(model: SASRecModel, items: int) -> Scorer:
    network = model.lightning_model.torch_model
    length = model.session_max_len
    known = model.data_preparator.get_known_item_ids().astype(np.int64)
    token = np.zeros(items, dtype=np.int64)
    token[known] = model.data_preparator.get_known_items_sorted_internal_ids()

    @torch.no_grad()
    def score(requests: Requests) -> Float32:
        network.eval()
        vectors = network.item_model.get_all_embeddings()
        x = np.zeros((len(requests), length), dtype=np.int64)
        for row in range(len(requests)):
            past = token[requests.history(row)]
            past = past[past > 0][-length:]
            if len(past):
                x[row, -len(past) :] = past
        users = network.encode_sessions({"x": torch.from_numpy(x)}, vectors)[:, -1]
        found = (users @ vectors.T).numpy()
        scores = np.repeat(found[:, 1:].min(axis=1, keepdims=True) - 1, items, axis=1)
        scores[:, known] = found[:, token[known]]
        return scores

    return score
