"""Which tokens are hidden, and what stands in their place.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
NAACL 2019, section 3.1.
"""

import torch
from torch import Tensor

SHARE = 0.15
AS_MASK, AS_ANY = 0.8, 0.1


def masked(
    ids_BT: Tensor, words_BT: Tensor, mask_id: int, vocabulary: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Hide 15 % of the words; return the ids int64 [B, T] and what was hidden bool [B, T].

    Of what is hidden 80 % reads as the mask, 10 % as any token and 10 % as itself. words_BT: bool
    [B, T], the tokens that may be hidden. A text with words has at least one hidden, for titles
    can be so short that 15 % of them is none.
    """
    drawn = torch.rand(ids_BT.shape, generator=generator).masked_fill(~words_BT, 2.0)
    least = drawn.argmin(dim=1, keepdim=True)
    hidden_BT = (drawn < SHARE).scatter(1, least, torch.ones_like(least, dtype=torch.bool))
    hidden_BT &= words_BT
    how = torch.rand(ids_BT.shape, generator=generator)
    other = torch.randint(vocabulary, ids_BT.shape, generator=generator)
    read = torch.where(hidden_BT & (how < AS_MASK), mask_id, ids_BT)
    return torch.where(hidden_BT & (how >= 1.0 - AS_ANY), other, read), hidden_BT
