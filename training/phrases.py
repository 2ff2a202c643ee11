"""Frequent phrases of a catalogue's texts: names for things that nobody tagged."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from features.word_tokens import word_tokens
from training.datasets.format import Dataset

PHRASES_MOST = 1_000
ITEMS_LEAST = 5
# Of what more items have, it tells nothing; of what fewer have, it is a quirk of theirs.
SHARE_MOST, SHARE_LEAST = 0.2, 0.001
# How many times more often than by chance two words must stand together.
LIFT_LEAST = 10.0
_CHINESE = re.compile(r"^[\u3400-\u9fff]{2,}$")
_WORD = re.compile(r"^[a-z][a-z'-]*$")


def frequent_phrases(dataset: Dataset) -> dict[str, list[int]]:
    """Return the rows of the items that have each phrase in title or description.

    A phrase is two words that stand together far more often than by chance (pointwise mutual
    information: Church and Hanks, "Word association norms, mutual information, and lexicography",
    Computational Linguistics 16, 1990), in Chinese one word.
    """
    rows: dict[str, list[int]] = {}
    words: Counter[str] = Counter()
    texts = zip(dataset.items["title"], dataset.items["description"], strict=True)
    for row, parts in enumerate(texts):
        tokens = [word_tokens(part) for part in parts]
        words.update({token for some in tokens for token in some})
        for phrase in {phrase for some in tokens for phrase in _phrases(some)}:
            rows.setdefault(phrase, []).append(row)
    items = len(dataset.items)
    least, most = max(ITEMS_LEAST, SHARE_LEAST * items), SHARE_MOST * items
    kept = [
        phrase
        for phrase, having in rows.items()
        if least <= len(having) <= most and _together(phrase, len(having), words, items)
    ]
    kept.sort(key=lambda phrase: (-len(rows[phrase]), phrase))
    return {phrase: rows[phrase] for phrase in kept[:PHRASES_MOST]}


def _phrases(tokens: Iterable[str]) -> Iterator[str]:
    before = ""
    for token in tokens:
        if _CHINESE.match(token):
            yield token
        if _WORD.match(before) and _WORD.match(token):
            yield f"{before} {token}"
        before = token


def _together(phrase: str, count: int, words: Counter[str], items: int) -> bool:
    parts = phrase.split()
    by_chance = math.prod(words[part] / items for part in parts) * items
    return len(parts) == 1 or count >= LIFT_LEAST * by_chance
