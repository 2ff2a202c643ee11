"""One pre-training, top to bottom: texts -> masked language model -> gain -> encoder directory."""

import json
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from training.datasets.settings import Cleaning
from training.datasets.source import open_dataset
from training.encoder.gain import NONE, Gain, found_by_meaning, gain_of
from training.encoder.masked_model import MaskedModel, save_encoder
from training.encoder.pretraining import distinct, encode, held_out, pretrain
from training.encoder.settings import PretrainSettings
from training.encoder.texts import Tokens, tokens_of
from training.errors import TrainingError
from training.interactions import interactions_of
from training.item_table import item_texts
from training.progress import Say
from training.release import check_target
from training.settings import TrainSettings
from training.split import leave_last_out

REPORT = "pretraining.json"
# What says how an encoder is used, where its directory has it.
KEPT = (
    "1_Pooling/config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "vocab.txt",
)
LEAST_TEXTS = 20


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
    if out.exists():
        raise TrainingError(f"{out} exists already; an encoder is never overwritten")
    check_target(out)
    torch.manual_seed(settings.seed)
    start = time.monotonic()
    dataset = open_dataset(dataset_spec, rejects=None, cleaning=cleaning)
    say(str(dataset.report))
    texts = item_texts(dataset)
    said = distinct(texts)
    if len(said) < LEAST_TEXTS:
        raise TrainingError(
            f"{dataset_spec} has {len(said)} different item texts, too few to learn from"
        )
    tokens = tokens_of(tokenizer_directory, said, pad_id, min(settings.max_tokens, max_tokens))
    learn, measure = held_out(len(said), settings)
    say(f"masked-LM training on {len(learn):,} texts, {len(measure):,} held out")
    model = MaskedModel(weights, pooling, pad_id)

    whole = tokens_of(tokenizer_directory, said, pad_id, max_tokens)
    before = encode(model, whole, say)
    losses = pretrain(
        model, _some(tokens, learn), _some(tokens, measure), before[learn], settings, say
    )
    after = encode(model, whole, say)

    known = interactions_of(dataset)
    split = leave_last_out(known, dataset.repeat, TrainSettings(seed=settings.seed))
    users = np.flatnonzero(split.valid > NONE)
    left_out = np.random.default_rng(settings.seed).permutation(users)[settings.recall_users :]
    split.valid[left_out] = NONE
    rows = _rows(texts, said)
    gain = gain_of(
        losses,
        *(
            found_by_meaning(known, split.valid, _of_items(vectors, rows), dataset.repeat)
            for vectors in (before, after)
        ),
    )
    _write(model, weights, tokenizer_directory, out, gain)
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


def _rows(texts: Sequence[str], said: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where each item's text is among those that say something, NONE where it says none."""
    place = {text: row for row, text in enumerate(said)}
    return np.array([place.get(text, NONE) for text in texts], np.int64)


def _of_items(
    vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.where(rows[:, None] >= 0, vectors[np.maximum(rows, 0)], np.float32(0))


def _write(
    model: MaskedModel, weights: Path, tokenizer_directory: Path, out: Path, gain: Gain
) -> None:
    draft = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True)
    try:
        save_encoder(model, weights, draft)
        shutil.copyfile(tokenizer_directory / "tokenizer.json", draft / "tokenizer.json")
        for name in KEPT:
            if (weights / name).is_file():
                (draft / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(weights / name, draft / name)
        (draft / REPORT).write_text(json.dumps(gain.as_json(), indent=1) + "\n", encoding="utf-8")
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
