"""Templates to sentences."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

SLOT = re.compile(r"\{(\w+)\}")
SMALL_WORDS = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to"}


def pick(rng: np.random.Generator, words: Sequence[str]) -> str:
    """Return one of the words."""
    return words[int(rng.integers(len(words)))]


def fill(rng: np.random.Generator, template: str, slots: Mapping[str, Sequence[str]]) -> str:
    """Put a word into every slot; a slot that comes twice gets two different words, if it has."""
    used: set[str] = set()

    def word(match: re.Match[str]) -> str:
        words = slots[match[1]]
        fresh = [w for w in words if w not in used] or words
        chosen = pick(rng, fresh)
        used.add(chosen)
        return chosen

    return SLOT.sub(word, template)


def sentence(text: str) -> str:
    """Return English text with "an" where it belongs, and a capital after every full stop."""
    text = re.sub(r"\b([Aa]) (?=[aeioAEIO])", r"\1n ", text)
    return re.sub(r"(^|[.?!] )([a-z])", lambda match: match[1] + match[2].upper(), text)


def title(text: str) -> str:
    """Return English text with capitals, small words apart."""
    text = re.sub(r"\b([Aa]) (?=[aeioAEIO])", r"\1n ", text)
    words = text.split(" ")
    for position, word in enumerate(words):
        if position == 0 or word not in SMALL_WORDS:
            words[position] = word[:1].upper() + word[1:]
    return " ".join(words)
