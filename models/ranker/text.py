"""The words at the head of the prefix, as the language model's own tokens."""

from functools import lru_cache
from pathlib import Path

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
