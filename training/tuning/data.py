"""The data as the search sees them: without each user's last target, which is the test's."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.item_table import ItemTable
from training.datasets.format import Dataset
from training.encoding import encode_texts
from training.errors import TrainingError
from training.fitting import Run
from training.interactions import Interactions, interactions_of
from training.item_table import item_texts, new_item_table
from training.progress import Say
from training.settings import TrainSettings
from training.split import leave_last_out
from training.targets import choose_targets
from training.words import Words, collect_words


@dataclass(frozen=True)
class TuningData:
    """A data set ready for trials.

    known: the events before each user's test target; no trial sees another. vectors: of words that
    were encoded so far, by text.
    """

    dataset: Dataset
    known: Interactions
    base: ItemTable
    words: Words
    encoder_target: str
    encoder_directory: Path
    vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)

    def run(self, settings: TrainSettings, say: Say) -> Run:
        """Return what `training.run` fits from: the last target that is left validates."""
        repeat = self.dataset.repeat
        split = leave_last_out(self.known, repeat, settings, test=False)
        targets = choose_targets(split, self.known, self.words, settings)
        words = self._with_vectors(targets.words(), say)
        return Run(self.base, self.known, repeat, words, split, targets, settings, say)

    def _with_vectors(self, said: npt.NDArray[np.int64], say: Say) -> Words:
        texts = self.words.texts
        new = [texts[place] for place in said if texts[place] and texts[place] not in self.vectors]
        if new:
            found, _ = encode_texts(self.encoder_target, new, say)
            self.vectors.update(zip(new, found, strict=True))
        width = self.base.text_vectors.shape[1]
        vectors = np.zeros((len(texts), width), np.float32)
        for place in said.tolist():
            if texts[place]:
                vectors[place] = self.vectors[texts[place]]
        return replace(self.words, vectors=vectors)


def tuning_data(
    dataset: Dataset,
    encoder_target: str,
    encoder_directory: Path,
    settings: TrainSettings,
    say: Say,
) -> TuningData:
    """Leave out the test targets and encode the items' texts."""
    everything = interactions_of(dataset)
    if len(everything.events) < 2 or everything.items < 2:
        raise TrainingError(f"{dataset.name} has fewer than 2 interactions or items to learn from")
    split = leave_last_out(everything, dataset.repeat, settings)
    known = everything.first(split.before_test(everything))
    texts = item_texts(dataset)
    vectors, _ = encode_texts(encoder_target, texts, say)
    words = collect_words(dataset, known, settings.seed)
    return TuningData(
        dataset,
        known,
        new_item_table(dataset, texts, vectors, np.zeros((len(texts), 0), np.int32)),
        words,
        encoder_target,
        encoder_directory,
    )
