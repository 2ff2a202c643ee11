"""Texts as the language model's own tokens: words at the head of the prefix, and candidates."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

TOKENIZER = "tokenizer.json"


class PrefixTokenizer:
    """Texts to token ids, cut at a maximum. No text still has the model's special tokens."""

    def __init__(self, directory: Path, max_tokens: int) -> None:
        self.tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_tokens)
        self.ids = lru_cache(maxsize=4096)(self._ids)

    def _ids(self, text: str) -> tuple[int, ...]:
        """Return the token ids of a text."""
        return tuple(self.tokenizer.encode(text).ids)


class CandidateTokenizer:
    """Items' texts to the first `most` token ids of each, which is 0 in item mode."""

    def __init__(self, directory: Path, most: int) -> None:
        self.most = most
        self.tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(most)

    def tokens(self, texts: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return tokens, int32 [texts, most], -1 after the last of each.

        Without the model's special tokens: in a ranker the text continues a sequence.
        """
        tokens = np.full((len(texts), self.most), -1, np.int32)
        if self.most and texts:
            encoded = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
            for row, text in enumerate(encoded):
                tokens[row, : len(text.ids)] = text.ids
        return tokens
