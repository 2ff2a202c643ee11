"""The tags of a release: which items have each, and which tags an encoder can match words with."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.tags import ItemTags
from features.vocabulary import Vocabulary
from training.datasets.format import Dataset
from training.phrases import frequent_phrases

# Words are matched by meaning with names that several items have; more would only blur it.
ITEMS_LEAST = 3
VECTORS_MOST = 4_096
# Names are compared with each other to learn which cosine says nothing.
SAMPLE = 1_000
UNRELATED_QUANTILE = 0.99


def collect_tags(dataset: Dataset, vocabulary: Vocabulary) -> ItemTags:
    """Return categories, tags and phrases with the items that have each, without vectors.

    The names of most items come first.
    """
    rows: dict[str, list[int]] = {name: [] for name in vocabulary.names}
    columns = zip(dataset.items["categories"], dataset.items["tags"], strict=True)
    for row, (categories, tags) in enumerate(columns):
        for name in {*categories, *tags} & rows.keys():
            rows[name].append(row)
    known = {name.casefold() for name in rows}
    phrases = frequent_phrases(dataset)
    rows |= {phrase: having for phrase, having in phrases.items() if phrase not in known}
    names = sorted(rows, key=lambda name: (-len(rows[name]), name))
    sizes = [len(rows[name]) for name in names]
    return ItemTags(
        names=names,
        vectors=np.zeros((0, 0), np.float32),
        unrelated=1.0,
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        rows=np.array([row for name in names for row in rows[name]], np.int32),
        items=len(dataset.items),
    )


def names_to_encode(tags: ItemTags) -> Sequence[str]:
    """Return the first names, those that words are matched with by meaning."""
    several = int((np.diff(tags.starts) >= ITEMS_LEAST).sum())
    return tags.names[: min(several, VECTORS_MOST)]


def unrelated_cosine(vectors: npt.NDArray[np.float32], seed: int) -> float:
    """Return the cosine that few pairs of names reach; vectors: float32 [M, D], unit length."""
    if len(vectors) < 2:
        return 1.0
    some = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    cosines = (vectors[some] @ vectors[some].T)[np.triu_indices(len(some), 1)]
    return float(np.quantile(cosines, UNRELATED_QUANTILE))
