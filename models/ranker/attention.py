"""Attention that isolates candidates: each sees the prefix and itself, never another.

Registered with transformers, so that any of its language models runs with it. It costs
candidates x prefix instead of (prefix + candidates) squared.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel

NAME = "tandem_packed"


@dataclass(frozen=True)
class Packing:
    """How a batch of sequences is packed: prefix tokens first, then candidates.

    prefix_length: S. prefix_mask_BSS: bool, true where a prefix token may look. candidate_mask_BCS:
    bool, true where a candidate may look at the prefix.
    """

    prefix_length: int
    prefix_mask_BSS: Tensor
    candidate_mask_BCS: Tensor


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
    """Attend within the prefix, and from each candidate to the prefix and itself.

    Shapes: B batch, H heads, G key-value heads, L = S + C positions, E head width. Returns
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
    query_BHCE = query_BHLE[:, :, length:]
    to_prefix_BHCS = query_BHCE @ key_BHLE[:, :, :length].transpose(-1, -2) * scale
    hidden = ~packing.candidate_mask_BCS[:, None]
    to_prefix_BHCS = to_prefix_BHCS.masked_fill(hidden, torch.finfo(to_prefix_BHCS.dtype).min)
    to_self_BHC1 = (query_BHCE * key_BHLE[:, :, length:]).sum(-1, keepdim=True) * scale
    weights = torch.softmax(torch.cat([to_prefix_BHCS, to_self_BHC1], dim=-1), dim=-1)
    weights = F.dropout(weights, rate, module.training)
    candidates_BHCE = (
        weights[..., :length] @ value_BHLE[:, :, :length]
        + weights[..., length:] * value_BHLE[:, :, length:]
    )
    return torch.cat([prefix_BHSE, candidates_BHCE], dim=2).transpose(1, 2), None


AttentionInterface.register(NAME, packed_attention)


def use_packed_attention(model: PreTrainedModel) -> None:
    """Make a language model run with packed attention; its calls then take `packing=`."""
    model.config._attn_implementation = NAME


def unmasked(like: Tensor) -> Tensor:
    """Return a mask that transformers passes through unread, in place of building its own."""
    return like.new_zeros(1, 1, 1, 1)
