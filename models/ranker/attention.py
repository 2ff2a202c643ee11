"""Attention that isolates candidates: each sees the prefix and its own tokens, never another.

Registered with transformers, so that any of its language models runs with it. It costs
candidates x prefix instead of (prefix + candidates) squared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel

NAME = "tandem_packed"


@dataclass(frozen=True)
class Packing:
    """How a batch of sequences is packed: prefix tokens first, then those of each candidate.

    prefix_length: S. prefix_mask_BSS: bool, true where a prefix token may look. candidate_mask_BCS:
    bool, true where a candidate may look at the prefix. own_mask_BCO: bool, which of the O tokens
    of each candidate are there; the first always is.
    """

    prefix_length: int
    prefix_mask_BSS: Tensor
    candidate_mask_BCS: Tensor
    own_mask_BCO: Tensor


def packed_attention(
    module: nn.Module,
    query_BHLE: Tensor,
    key_BGLE: Tensor,
    value_BGLE: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001  (transformers' signature; the packing has the masks)
    scaling: float | None = None,
    dropout: float = 0.0,
    *,
    packing: Packing,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend within the prefix, and from each candidate to the prefix and its own tokens.

    Shapes: B batch, H heads, G key-value heads, L = S + C * O positions, E head width. Returns
    [B, L, H, E], as transformers expects.
    """
    length = packing.prefix_length
    groups = query_BHLE.shape[1] // key_BGLE.shape[1]
    key_BHLE = key_BGLE.repeat_interleave(groups, dim=1) if groups > 1 else key_BGLE
    value_BHLE = value_BGLE.repeat_interleave(groups, dim=1) if groups > 1 else value_BGLE
    scale = query_BHLE.shape[-1] ** -0.5 if scaling is None else scaling
    rate = dropout if module.training else 0.0

    prefix_BHSE = F.scaled_dot_product_attention(
        query_BHLE[:, :, :length],
        key_BHLE[:, :, :length],
        value_BHLE[:, :, :length],
        attn_mask=packing.prefix_mask_BSS[:, None],
        dropout_p=rate,
        scale=scale,
    )
    candidates_BHKE = _candidates(
        query_BHLE[:, :, length:],
        key_BHLE,
        value_BHLE,
        packing,
        scale,
        dropout=lambda weights: F.dropout(weights, rate, module.training),
    )
    return torch.cat([prefix_BHSE, candidates_BHKE], dim=2).transpose(1, 2), None


def _candidates(
    query_BHKE: Tensor,
    key_BHLE: Tensor,
    value_BHLE: Tensor,
    packing: Packing,
    scale: float,
    dropout: Callable[[Tensor], Tensor],
) -> Tensor:
    """Return what the K = C * O tokens of candidates attend to [B, H, K, E]."""
    length, own = packing.prefix_length, packing.own_mask_BCO
    shape = (*query_BHKE.shape[:2], *own.shape[1:])
    to_prefix = (query_BHKE @ key_BHLE[:, :, :length].transpose(-1, -2)).view(
        *shape, length
    ) * scale
    lowest = torch.finfo(to_prefix.dtype).min
    hidden = ~packing.candidate_mask_BCS[:, None, :, None]
    query_BHCOE, key_BHCOE, value_BHCOE = (
        each.reshape(*shape, each.shape[-1])
        for each in (query_BHKE, key_BHLE[:, :, length:], value_BHLE[:, :, length:])
    )
    alone = own.shape[2] == 1
    if alone:  # products of single rows, for which a matrix product is slow
        to_own = (query_BHCOE * key_BHCOE).sum(-1, keepdim=True) * scale
    else:
        to_own = query_BHCOE @ key_BHCOE.transpose(-1, -2) * scale
        to_own = to_own.masked_fill(~own[:, None, :, None], lowest)
    both = torch.cat([to_prefix.masked_fill(hidden, lowest), to_own], dim=-1)
    weights = dropout(torch.softmax(both, dim=-1))
    of_prefix = weights[..., :length].flatten(2, 3) @ value_BHLE[:, :, :length]
    of_own = weights[..., length:]
    from_own = of_own * value_BHCOE if alone else of_own @ value_BHCOE
    return of_prefix + from_own.flatten(2, 3)


AttentionInterface.register(NAME, packed_attention)


def use_packed_attention(model: PreTrainedModel) -> None:
    """Make a language model run with packed attention; its calls then take `packing=`.

    It keeps no cache of its own, which would copy every key and value.
    """
    model.config.use_cache = False
    model.config._attn_implementation = NAME


def unmasked(like: Tensor) -> Tensor:
    """Return a mask that transformers passes through unread, in place of building its own."""
    return like.new_zeros(1, 1, 1, 1)
