"""Bytes in, token ids out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

# Words and their spaces average five characters a token; what is past this is never tokenised.
CHARACTERS_PER_TOKEN_MAX = 16
UTF8_BYTES_MAX = 4


class Tokenisation:
    """Turns UTF-8 texts into at most `max_tokens` token ids each, special tokens included."""

    def __init__(self, tokenizer_file: Path, max_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._characters_max = max_tokens * CHARACTERS_PER_TOKEN_MAX

    def __call__(self, texts: Sequence[bytes]) -> tuple[list[list[int]], np.ndarray]:
        """Return the ids of each text and bool [texts]: was any of the text left out?

        Bytes that are not UTF-8 become U+FFFD.
        """
        decoded = [self._decode(text) for text in texts]
        cut = np.array([len(text) > self._characters_max for text in decoded], dtype=bool)
        encodings = self._tokenizer.encode_batch_fast(
            [text[: self._characters_max] for text in decoded]
        )
        overflowing = np.array([bool(encoding.overflowing) for encoding in encodings], dtype=bool)
        return [encoding.ids for encoding in encodings], cut | overflowing

    def _decode(self, text: bytes) -> str:
        # Enough bytes for one character more than will be read, so that the cut is noticed.
        bytes_max = UTF8_BYTES_MAX * (self._characters_max + 1)
        return text[:bytes_max].decode("utf-8", errors="replace")
