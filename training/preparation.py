"""What a run begins with: texts and words of a data set, the targets, and the texts' vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.entities import ItemEntities
from features.tags import ItemTags
from features.word_index import index_texts
from models.ranker.ranker import language_model_config
from models.ranker.text import CandidateTokenizer
from training.brought import no_targets
from training.checkpoint import NOWHERE, Checkpoint
from training.datasets.format import Dataset
from training.entities import collect_entities
from training.errors import TrainingError
from training.estimate import Counts
from training.fitting import Run
from training.friends import collect_friends
from training.interactions import Interactions
from training.item_table import item_texts, new_item_table
from training.parts import parts_of
from training.progress import Say
from training.settings import TrainSettings
from training.split import Split, leave_last_out
from training.tags import collect_tags, names_to_encode, unrelated_cosine
from training.targets import Targets, choose_targets
from training.vocabulary import count_names
from training.warm_start import warm_start
from training.words import Words, collect_words

# Gives texts' vectors, float32 [texts, D], and the encoder's version.
Encode = Callable[[Sequence[str], Say], tuple[npt.NDArray[np.float32], str]]


@dataclass(frozen=True)
class Material:
    """A data set as runs read it.

    known: the events that may be learned from, some or all. texts: of the items. words: of users,
    and tags: of items, both without vectors. entities: of items, of no worth yet.
    """

    dataset: Dataset
    known: Interactions
    texts: list[str]
    words: Words
    tags: ItemTags
    entities: ItemEntities


@dataclass(frozen=True)
class Task:
    """What a run is to predict; nothing is encoded yet."""

    material: Material
    split: Split
    targets: Targets

    def texts(self) -> list[str]:
        """Return the texts that the run needs vectors of: of items, of tags, and what is said."""
        words = self.material.words.texts
        said = [words[place] for place in self.targets.words()]
        return [*self.material.texts, *names_to_encode(self.material.tags), *said]

    def counts(self, encoder_directory: Path) -> Counts:
        """Return what decides on the time and memory of the run."""
        known, targets, texts = self.material.known, self.targets, self.texts()
        language_model = language_model_config(encoder_directory)
        return Counts(
            events=len(known.events),
            items=known.items,
            texts=len(texts),
            characters=sum(map(len, texts)),
            learn=len(targets.learn) + len(targets.newcomers),
            validate=len(targets.validate),
            test=len(targets.test),
            text_width=int(str(language_model["hidden_size"]))
            + sum(space.shape[1] for space in self.material.dataset.vectors.values()),
            language_model=language_model,
        )


def read_material(dataset: Dataset, known: Interactions, seed: int) -> Material:
    """Collect texts and words. Raises TrainingError where there is too little to learn from."""
    if len(known.events) < 2 or known.items < 2:
        raise TrainingError(f"{dataset.name} has fewer than 2 interactions or items to learn from")
    return Material(
        dataset,
        known,
        item_texts(dataset),
        collect_words(dataset, known, seed),
        collect_tags(dataset, count_names(dataset)),
        collect_entities(dataset),
    )


def choose_task(material: Material, settings: TrainSettings, *, test: bool) -> Task:
    """Draw the targets; with `test`, each user's last one is held out."""
    known = material.known
    brought = no_targets(known, material.dataset.impressions)
    split = leave_last_out(known, material.dataset.repeat, settings, test=test, brought=brought)
    return Task(material, split, choose_targets(split, known, material.words, settings))


def prepare(
    task: Task,
    language_model: Path,
    settings: TrainSettings,
    encode: Encode,
    say: Say,
    *,
    warm: Path | None = None,
    checkpoint: Checkpoint = NOWHERE,
) -> tuple[Run, str]:
    """Encode the texts; return what the fits start from, and the encoder's version.

    language_model: the ranker's, a Hugging Face directory. warm: a release to begin with. Raises
    TrainingError if it cannot be used.
    """
    material = task.material
    dataset, items = material.dataset, len(material.texts)
    vectors, encoder = encode(task.texts(), say)
    tokens = CandidateTokenizer(language_model, settings.candidate_tokens).tokens(material.texts)
    senses = parts_of(settings.parts).senses
    base = new_item_table(dataset, material.texts, vectors[:items], tokens, senses)
    of_words = np.zeros((len(material.words.texts), vectors.shape[1]), np.float32)
    of_tags, said = np.split(vectors[items:], [len(names_to_encode(material.tags))])
    of_words[task.targets.words()] = said
    # As the release keeps them, so that training understands words as serving will.
    of_tags = of_tags.astype(np.float16).astype(np.float32)
    unrelated = unrelated_cosine(of_tags, settings.seed)
    run = Run(
        base,
        index_texts(material.texts),
        replace(material.tags, vectors=of_tags, unrelated=unrelated),
        material.known.sensed_by(senses),
        dataset.repeat,
        replace(material.words, vectors=of_words),
        task.split,
        task.targets,
        settings,
        say,
        dataset.impressions,
        senses,
        warm_start(warm, base, dataset.name, encoder, say) if warm else None,
        checkpoint,
        material.entities,
        collect_friends(dataset, material.known),
    )
    return run, encoder
