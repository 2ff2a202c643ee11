"""Texts as an encoder in training reads them: token ids in batches of like length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.errors import TrainingError

MASK_TOKENS = ("[MASK]", "<mask>")
NO_MASK = -1
# Batches are cut from so many batches' texts in order of length, so that little is padding.
SORTED_TOGETHER = 20


@dataclass(frozen=True)
class Tokens:
    """Tokens of texts.

    ids, special: one int64 and one bool array a text; special tokens are no words. mask_id, pad_id:
    the two tokens' ids, NO_MASK where the tokenizer has none. vocabulary: how many ids there are.
    """

    ids: list[npt.NDArray[np.int64]]
    special: list[npt.NDArray[np.bool_]]
    mask_id: int
    pad_id: int
    vocabulary: int

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return ids int64 [B, T], padded, and which are words bool [B, T]."""
        longest = max(len(self.ids[place]) for place in places)
        ids_BT = torch.full((len(places), longest), self.pad_id)
        words_BT = torch.zeros(len(places), longest, dtype=torch.bool)
        for row, place in enumerate(places):
            length = len(self.ids[place])
            ids_BT[row, :length] = torch.from_numpy(self.ids[place])
            words_BT[row, :length] = torch.from_numpy(~self.special[place])
        return ids_BT, words_BT


def tokens_of(directory: Path, texts: Sequence[str], pad_id: int, max_tokens: int) -> Tokens:
    """Return the tokens of texts, the first `max_tokens` of each."""
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    masks = [tokenizer.token_to_id(token) for token in MASK_TOKENS]
    mask_id = next((mask for mask in masks if mask is not None), NO_MASK)
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    encodings = tokenizer.encode_batch(list(texts))
    return Tokens(
        [np.array(encoding.ids, np.int64) for encoding in encodings],
        [np.array(encoding.special_tokens_mask, bool) for encoding in encodings],
        mask_id,
        pad_id,
        tokenizer.get_vocab_size(),
    )


def need_mask(tokens: Tokens, directory: Path) -> None:
    """Raise TrainingError where the tokenizer of a directory has no mask."""
    if tokens.mask_id == NO_MASK:
        raise TrainingError(
            f"{directory}: its tokenizer has neither {' nor '.join(MASK_TOKENS)}, so that no "
            "masked-language-model training can be done"
        )


def batches_of(tokens: Tokens, size: int, random: np.random.Generator) -> Iterator[list[int]]:
    """Yield the places of texts without end, in batches of like length, each text once a round."""
    while True:
        order = random.permutation(len(tokens))
        rows = []
        for start in range(0, len(order), size * SORTED_TOGETHER):
            some = order[start : start + size * SORTED_TOGETHER]
            some = some[np.argsort([len(tokens.ids[place]) for place in some], kind="stable")]
            rows += [some[at : at + size].tolist() for at in range(0, len(some), size)]
        for at in random.permutation(len(rows)).tolist():
            yield rows[at]
