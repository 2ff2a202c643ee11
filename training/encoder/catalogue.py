"""The texts that a data set's items have, each once, and what was done with them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.datasets.format import Dataset
from training.datasets.settings import Cleaning
from training.datasets.source import open_dataset
from training.errors import TrainingError
from training.interactions import Interactions, interactions_of
from training.item_table import item_texts
from training.progress import Say

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
LEAST_TEXTS = 20
NO_TEXT = -1


@dataclass(frozen=True)
class Catalogue:
    """A data set by its texts.

    texts: what items say, each once. text_of_item: int64 [items], the place in `texts`, NO_TEXT for
    an item that says nothing.
    """

    dataset: Dataset
    known: Interactions
    texts: list[str]
    text_of_item: Int64

    def of_items(self, vectors: Float32) -> Float32:
        """Return the items' vectors [items, D] of those of texts [texts, D], zeros without one."""
        found = vectors[np.maximum(self.text_of_item, 0)]
        return np.where(self.text_of_item[:, None] == NO_TEXT, np.float32(0), found)


def open_catalogue(dataset_spec: str, cleaning: Cleaning | None, say: Say) -> Catalogue:
    """Read a data set; raise DatasetError, or TrainingError where its items say too little."""
    dataset = open_dataset(dataset_spec, rejects=None, cleaning=cleaning)
    say(str(dataset.report))
    texts = item_texts(dataset)
    said = distinct(texts)
    if len(said) < LEAST_TEXTS:
        raise TrainingError(
            f"{dataset_spec} has {len(said)} different item texts, too few to learn from"
        )
    place = {text: row for row, text in enumerate(said)}
    text_of_item = np.array([place.get(text, NO_TEXT) for text in texts], np.int64)
    return Catalogue(dataset, interactions_of(dataset), said, text_of_item)


def distinct(texts: Sequence[str]) -> list[str]:
    """Return the texts that say something, each once, in order."""
    return list(dict.fromkeys(text for text in texts if text.strip()))
