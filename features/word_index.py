"""Items by the words of their texts: BM25, built into the release."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

from features.word_tokens import word_tokens

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class WordIndex:
    """BM25 scores of items for words, in the variant of Lucene.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
    items: how many there are. bm25: None where no item has any word.
    """

    items: int
    bm25: bm25s.BM25 | None

    def scores(self, words: str) -> Float32:
        """Return each item's score, float32 [items]; zeros where no word is shared."""
        tokens = word_tokens(words)
        if self.bm25 is None or not tokens:
            return np.zeros(self.items, np.float32)
        return np.asarray(self.bm25.get_scores(tokens), np.float32)

    def save(self, directory: Path) -> None:
        """Write the index into a folder, which is made."""
        directory.mkdir(parents=True)
        if self.bm25 is not None:
            self.bm25.save(directory, show_progress=False)


def index_texts(texts: Sequence[str]) -> WordIndex:
    """Return the index of items' texts."""
    words = [word_tokens(text) for text in texts]
    if not any(words):
        return WordIndex(len(texts), None)
    bm25 = bm25s.BM25()
    bm25.index(words, show_progress=False)
    return WordIndex(len(texts), bm25)


def read_word_index(directory: Path, items: int) -> WordIndex:
    """Read what `save` wrote; large arrays are mapped."""
    if not directory.is_dir() or not any(directory.iterdir()):
        return WordIndex(items, None)
    return WordIndex(items, bm25s.BM25.load(directory, mmap=True, show_progress=False, verbosity=0))
