"""Counting the names of a catalogue."""

from collections import Counter

from features.vocabulary import NAMES_MOST, Vocabulary
from training.datasets.format import Dataset


def count_names(dataset: Dataset) -> Vocabulary:
    """Return the categories and tags of a data set's items, those of most items."""
    counts: Counter[str] = Counter()
    for categories, tags in zip(dataset.items.categories, dataset.items.tags, strict=True):
        counts.update({*categories, *tags})
    names = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:NAMES_MOST]
    return Vocabulary(dict(names), len(dataset.items))
