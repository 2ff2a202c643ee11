"""One fine-tuning on behaviour, top to bottom: events -> two towers -> gain -> directory."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.datasets.settings import Cleaning
from training.encoder.behaviour import behaviour_of
from training.encoder.catalogue import open_catalogue
from training.encoder.directory import need_new, write_encoder
from training.encoder.fine_tuning import fine_tune, minutes_of, timed
from training.encoder.gain import CUT, Change, asked, change_of, found_by_meaning, recall_lines
from training.encoder.labels import NEAREST, labels_of
from training.encoder.model import Float32, encode, load_encoder
from training.encoder.settings import BehaviourSettings
from training.encoder.texts import tokens_of
from training.errors import TrainingError
from training.progress import Say
from training.settings import TrainSettings
from training.split import leave_last_out

REPORT = "behaviour.json"
LEAST_MOMENTS = 20


@dataclass(frozen=True)
class BehaviourGain:
    """What was gained, and what became of words; each None where nothing could be asked.

    steps: that led to the weights that were kept.
    """

    steps: int
    validation: Change | None
    test: Change | None
    words: Change | None

    def lines(self) -> list[str]:
        """Return what people are told."""
        said = [f"the encoder after {self.steps:,} steps is kept"]
        said += recall_lines(self.validation, "validation") + recall_lines(self.test, "test")
        if self.words is None:
            return [*said, "no category or tag has items enough: whether words suffer is not known"]
        what = f"share of the {NEAREST} items nearest to each of {self.words.count} labels with it"
        return [*said, self.words.line(what)]

    def as_json(self) -> dict[str, Any]:
        """Return the same for machines."""

        def shown(change: Change | None) -> dict[str, Any] | None:
            return {"count": change.count, **change.as_json()} if change else None

        return {
            "steps": self.steps,
            f"recall@{CUT}": {"validation": shown(self.validation), "test": shown(self.test)},
            f"labels_precision@{NEAREST}": shown(self.words),
        }


def fine_tune_encoder(
    dataset_spec: str,
    out: Path,
    *,
    weights: Path,
    tokenizer_directory: Path,
    pooling: str,
    pad_id: int,
    max_tokens: int,
    settings: BehaviourSettings,
    cleaning: Cleaning | None = None,
    say: Say,
) -> BehaviourGain:
    """Fine-tune an encoder on what users of a data set did and write it to `out`.

    weights: a Hugging Face directory of an encoder; tokenizer_directory holds its tokenizer.json.
    max_tokens: what the encoder reads at most. Each user's last two targets, for test and
    validation, only measure what was gained, and the one before them only chooses among the looks.
    Raises TrainingError or DatasetError; nothing is left half-written.
    """
    need_new(out)
    torch.manual_seed(settings.seed)
    start = time.monotonic()
    catalogue = open_catalogue(dataset_spec, cleaning, say)
    known, repeat = catalogue.known, catalogue.dataset.repeat
    split = leave_last_out(known, repeat, TrainSettings(seed=settings.seed))
    behaviour = behaviour_of(catalogue, split.valid)
    if len(behaviour) < LEAST_MOMENTS:
        raise TrainingError(
            f"{dataset_spec}: {len(behaviour)} times somebody took an item with a text after "
            f"another, the last three of each user left out; {LEAST_MOMENTS} are needed"
        )
    random = np.random.default_rng(settings.seed)
    chosen_by, valid, test = (
        asked(places, settings.recall_users, random)
        for places in (behaviour.chosen_by, split.valid, split.test)
    )

    def found(vectors: Float32, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Any:
        return found_by_meaning(known, places, catalogue.of_items(vectors), repeat)

    def recall(vectors: Float32) -> float:
        return float(found(vectors, chosen_by).mean())

    tokens_most = min(settings.max_tokens, max_tokens)
    tokens = tokens_of(tokenizer_directory, catalogue.texts, pad_id, tokens_most)
    labels = labels_of(catalogue)
    label_tokens = tokens_of(tokenizer_directory, labels.words, pad_id, tokens_most)
    model = load_encoder(weights, pooling, pad_id)
    before, seconds = timed(model, tokens, say)
    labels_before = encode(model, label_tokens, say)
    minutes = minutes_of(len(tokens), seconds, settings)
    say(
        f"learning from {len(behaviour):,} events, {len(tokens):,} texts: "
        f"{settings.steps:,} steps take about {minutes:.0f} min"
    )
    after, steps = fine_tune(model, tokens, before, behaviour, recall, settings, say)
    labels_after = encode(model, label_tokens, say)
    gain = BehaviourGain(
        steps,
        change_of(found(before, valid), found(after, valid)),
        change_of(found(before, test), found(after, test)),
        change_of(labels.found(labels_before, before), labels.found(labels_after, after)),
    )
    report = gain.as_json() | {"settings": asdict(settings)}
    write_encoder(model, weights, tokenizer_directory, out, REPORT, report)
    for line in gain.lines():
        say(line)
    say(f"encoder written to {out} after {time.monotonic() - start:.0f} s")
    return gain
