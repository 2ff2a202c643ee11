"""The data as the search sees them: without each user's last target, which is the test's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.datasets.format import Dataset
from training.encoding import encode_texts
from training.fitting import Run
from training.interactions import interactions_of
from training.preparation import Material, Task, choose_task, prepare, read_material
from training.progress import Say
from training.settings import TrainSettings
from training.split import leave_last_out


@dataclass
class KnownTexts:
    """An encoder that remembers its texts, for trials share most of them."""

    target: str
    version: str = ""
    vectors: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)

    def encode(self, texts: Sequence[str], say: Say) -> tuple[npt.NDArray[np.float32], str]:
        """Return texts' vectors, float32 [texts, D], and the encoder's version."""
        new = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        if new:
            found, self.version = encode_texts(self.target, new, say)
            self.vectors.update(zip(new, found, strict=True))
        return np.stack([self.vectors[text] for text in texts]), self.version


@dataclass(frozen=True)
class TuningData:
    """A data set ready for trials. material: of events before each user's test target alone."""

    material: Material
    texts: KnownTexts
    encoder_directory: Path

    def task(self, settings: TrainSettings) -> Task:
        """Return what a trial predicts: the last target that is left validates."""
        return choose_task(self.material, settings, test=False)

    def run(self, settings: TrainSettings, say: Say) -> Run:
        """Return what the fits of a trial start from."""
        language_model = Path(settings.language_model or self.encoder_directory)
        run, _ = prepare(self.task(settings), language_model, settings, self.texts.encode, say)
        return run


def tuning_data(
    dataset: Dataset,
    encoder_target: str,
    encoder_directory: Path,
    settings: TrainSettings,
    say: Say,
) -> TuningData:
    """Leave out the test targets and encode the items' texts. Raises TrainingError."""
    everything = interactions_of(dataset)
    split = leave_last_out(everything, dataset.repeat, settings)
    known = everything.first(split.before_test(everything))
    material = read_material(dataset, known, settings.seed)
    texts = KnownTexts(encoder_target)
    texts.encode(material.texts, say)
    return TuningData(material, texts, encoder_directory)
