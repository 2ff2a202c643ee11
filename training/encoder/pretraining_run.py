"""One pre-training, top to bottom: texts -> masked language model -> gain -> encoder directory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.datasets.settings import Cleaning
from training.encoder.catalogue import open_catalogue
from training.encoder.directory import need_new, write_encoder
from training.encoder.gain import CUT, Change, asked, change_of, found_by_meaning, recall_lines
from training.encoder.masked_model import MaskedModel
from training.encoder.model import encode
from training.encoder.pretraining import Losses, held_out, pretrain
from training.encoder.settings import PretrainSettings
from training.encoder.texts import Tokens, need_mask, tokens_of
from training.progress import Say
from training.settings import TrainSettings
from training.split import leave_last_out

REPORT = "pretraining.json"


@dataclass(frozen=True)
class Gain:
    """Losses, and recall@200 before and after, None without users to ask."""

    losses: Losses
    recall: Change | None

    def lines(self) -> list[str]:
        """Return what people are told."""
        losses = self.losses
        return [
            f"held-out masked-LM loss: {losses.before:.3f} before, {losses.after:.3f} after "
            f"{losses.steps:,} steps ({losses.untouched:.3f} with a head that knows nothing)",
            *recall_lines(self.recall, "validation"),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the same for machines."""
        losses = self.losses
        nothing = {"before": None, "after": None, "difference": None}
        return {
            "held_out_loss": {
                "untouched": losses.untouched,
                "before": losses.before,
                "after": losses.after,
            },
            "steps": losses.steps,
            "users": self.recall.count if self.recall else 0,
            f"recall@{CUT}": self.recall.as_json() if self.recall else nothing,
        }


def pretrain_encoder(
    dataset_spec: str,
    out: Path,
    *,
    weights: Path,
    tokenizer_directory: Path,
    pooling: str,
    pad_id: int,
    max_tokens: int,
    settings: PretrainSettings,
    cleaning: Cleaning | None = None,
    say: Say,
) -> Gain:
    """Go on training an encoder on a data set's item texts and write it to `out`.

    weights: a Hugging Face directory of an encoder; tokenizer_directory holds its tokenizer.json.
    max_tokens: what the encoder reads at most. The events before each user's validation event, and
    that event, only measure what was gained; the encoder learns from none of them.
    Raises TrainingError or DatasetError; nothing is left half-written.
    """
    need_new(out)
    torch.manual_seed(settings.seed)
    start = time.monotonic()
    catalogue = open_catalogue(dataset_spec, cleaning, say)
    texts, repeat = catalogue.texts, catalogue.dataset.repeat
    tokens = tokens_of(tokenizer_directory, texts, pad_id, min(settings.max_tokens, max_tokens))
    need_mask(tokens, tokenizer_directory)
    learn, measure = held_out(len(texts), settings)
    say(f"masked-LM training on {len(learn):,} texts, {len(measure):,} held out")
    model = MaskedModel(weights, pooling, pad_id)

    whole = tokens_of(tokenizer_directory, texts, pad_id, max_tokens)
    before = encode(model, whole, say)
    losses = pretrain(
        model, _some(tokens, learn), _some(tokens, measure), before[learn], settings, say
    )
    after = encode(model, whole, say)

    split = leave_last_out(catalogue.known, repeat, TrainSettings(seed=settings.seed))
    places = asked(split.valid, settings.recall_users, np.random.default_rng(settings.seed))
    hits = [
        found_by_meaning(catalogue.known, places, catalogue.of_items(vectors), repeat)
        for vectors in (before, after)
    ]
    gain = Gain(losses, change_of(*hits))
    write_encoder(model, weights, tokenizer_directory, out, REPORT, gain.as_json())
    for line in gain.lines():
        say(line)
    say(f"encoder written to {out} after {time.monotonic() - start:.0f} s")
    return gain


def _some(tokens: Tokens, places: Sequence[int]) -> Tokens:
    return Tokens(
        [tokens.ids[place] for place in places],
        [tokens.special[place] for place in places],
        tokens.mask_id,
        tokens.pad_id,
        tokens.vocabulary,
    )
