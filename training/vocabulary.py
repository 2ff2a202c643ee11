"""Counting what a catalogue has names for."""

from collections import Counter

from features.vocabulary import NAMES_MOST, Vocabulary
from training.datasets.format import Dataset

# The types of AttributeValue that are numbers.
NUMBERS = {int: "int64", float: "double"}


def count_names(dataset: Dataset) -> Vocabulary:
    """Return the categories and tags of a data set's items, those of most items."""
    counts: Counter[str] = Counter()
    for categories, tags in zip(dataset.items.categories, dataset.items.tags, strict=True):
        counts.update({*categories, *tags})
    names = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:NAMES_MOST]
    languages = sorted(set(dataset.items["language_code"]) - {""})
    return Vocabulary(dict(names), len(dataset.items), _numbers(dataset), languages)


def _numbers(dataset: Dataset) -> dict[str, str]:
    """Return the types of the items' own attributes that are numbers all through."""
    kinds: dict[str, set[str]] = {}
    for attributes in dataset.items["attributes"]:
        for name, value in attributes.items():
            kinds.setdefault(name, set()).add(NUMBERS.get(type(value), ""))
    return {
        name: kind.pop()
        for name, kind in sorted(kinds.items())
        if len(kind) == 1 and "" not in kind
    }
