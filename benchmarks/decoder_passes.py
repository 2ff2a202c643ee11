"""Forward passes of a ranker on a decoder, with block-sparse attention and kept prefixes.

Users of one bucket have the same numbers of words, events and candidates, so that one mask holds
for all of them and every tensor has one shape: what compilation and CUDA graphs ask for.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention
from transformers import AttentionInterface

from models.ranker.ranker import Ranker

NAME = "tandem_blocks"
KeyValue = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Bucket:
    """The shape of a batch: users, and of each words T, events S, candidates C, tokens N of each
    candidate's text (0 in item mode).
    """

    users: int
    words: int
    events: int
    candidates: int
    text_tokens: int

    @property
    def prefix(self) -> int:
        """How many tokens stand before the candidates."""
        return self.words + self.events

    @property
    def own(self) -> int:
        """How many tokens a candidate has."""
        return 1 + self.text_tokens

    @property
    def tail(self) -> int:
        """How many tokens the candidates of a user have."""
        return self.candidates * self.own


@dataclass(frozen=True)
class Blocks:
    """What attention is told: the mask, keys and values of a prefix that was read before (one pair
    for each layer), and where those of this pass are put, if they are to be kept.
    """

    mask: BlockMask
    past: Sequence[KeyValue] = ()
    kept: list[KeyValue] | None = None


def block_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001  (transformers' signature; the blocks have it)
    scaling: float | None = None,
    dropout: float = 0.0,  # noqa: ARG001
    *,
    packing: Blocks,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend where the blocks say: queries [B, H, L, E], keys and values [B, G, L, E].

    Returns [B, L, H, E], as transformers expects.
    """
    if packing.past:
        layer: Any = module.layer_idx
        old_key, old_value = packing.past[layer]
        key, value = torch.cat([old_key, key], 2), torch.cat([old_value, value], 2)
    if packing.kept is not None:
        packing.kept.append((key, value))
    found = _flex(query.device.type)(
        query,
        key,
        value,
        block_mask=packing.mask,
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return found.transpose(1, 2), None


AttentionInterface.register(NAME, block_attention)


@cache
def _flex(device: str) -> Callable[..., Tensor]:
    """Return FlexAttention: a kernel for the mask on a GPU, plain products where there is none."""
    return torch.compile(flex_attention, dynamic=False) if device == "cuda" else _plain


def _plain(*arguments: Any, **named: Any) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="flex_attention called without")
        found: Tensor = flex_attention(*arguments, **named)
    return found


def whole_mask(bucket: Bucket, device: str) -> BlockMask:
    """Return who sees whom in a pass over prefix and candidates."""
    words, prefix, own = bucket.words, bucket.prefix, bucket.own

    def sees(_b: Tensor, _h: Tensor, query: Tensor, key: Tensor) -> Tensor:
        in_prefix = (key < words) | ((query >= words) & (key <= query))
        of_candidate = (key < prefix) | ((key - prefix) // own == (query - prefix) // own)
        return torch.where(query < prefix, in_prefix & (key < prefix), of_candidate)

    length = prefix + bucket.tail
    return create_block_mask(sees, None, None, length, length, device=device)


def prefix_mask(bucket: Bucket, device: str) -> BlockMask:
    """Return who sees whom in a pass over the prefix alone."""
    words = bucket.words

    def sees(_b: Tensor, _h: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key < words) | ((query >= words) & (key <= query))

    return create_block_mask(sees, None, None, bucket.prefix, bucket.prefix, device=device)


def tail_mask(bucket: Bucket, device: str) -> BlockMask:
    """Return who sees whom in a pass over the candidates alone, behind a kept prefix."""
    prefix, own = bucket.prefix, bucket.own

    def sees(_b: Tensor, _h: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key < prefix) | ((key - prefix) // own == query // own)

    return create_block_mask(sees, None, None, bucket.tail, prefix + bucket.tail, device=device)


class Reader(nn.Module):
    """Reads the tokens of a bucket. Inputs are made by `some_inputs`."""

    def __init__(self, ranker: Ranker, bucket: Bucket, device: str) -> None:
        super().__init__()
        self.ranker = ranker
        self.bucket = bucket
        ranker.language_model.config._attn_implementation = NAME
        self.masks = {
            "whole": whole_mask(bucket, device),
            "prefix": prefix_mask(bucket, device),
            "tail": tail_mask(bucket, device),
        }
        places = torch.arange(bucket.prefix, device=device)
        own = bucket.prefix + torch.arange(bucket.own, device=device).repeat(bucket.candidates)
        self.places, self.own = places[None], own[None]

    def whole(self, words: Tensor, events: Tensor, candidates: Tensor, texts: Tensor) -> Tensor:
        """Return the engagement logits [users, C] of one pass over everything."""
        places = torch.cat([self.places, self.own], 1)
        return self._logits(self._read(words, events, candidates, texts, places, "whole"))

    def prefix(self, words: Tensor, events: Tensor) -> list[KeyValue]:
        """Return keys and values of the prefix, a pair for each layer."""
        kept: list[KeyValue] = []
        none = words[:, :0]
        self._read(words, events, none, none[:, :, None], self.places, "prefix", kept=kept)
        return kept

    def tail(self, candidates: Tensor, texts: Tensor, past: Sequence[KeyValue]) -> Tensor:
        """Return the engagement logits [users, C] of candidates behind a prefix read before."""
        none = candidates[:, :0]
        states = self._read(none, none, candidates, texts, self.own, "tail", past=past)
        return self._logits(states)

    def _read(
        self,
        words: Tensor,
        events: Tensor,
        candidates: Tensor,
        texts: Tensor,
        places: Tensor,
        mask: str,
        past: Sequence[KeyValue] = (),
        kept: list[KeyValue] | None = None,
    ) -> Tensor:
        blocks = Blocks(self.masks[mask], past, kept)
        places = places.expand(self.bucket.users, -1)
        return self.ranker.read(words, events, candidates, texts, places, blocks)  # type: ignore[arg-type]

    def _logits(self, states: Tensor) -> Tensor:
        found: Tensor = self.ranker.head.language(states.float())[..., 0]
        return found


def some_inputs(ranker: Ranker, bucket: Bucket, seed: int) -> list[Tensor]:
    """Return made-up tokens: words [B, T, W], events [B, S, W], candidates [B, C, W] and the words
    of their texts [B, C, N, W], in the scale and type of the language model's own.
    """
    table = ranker.language_model.get_input_embeddings().weight
    generator = torch.Generator(table.device).manual_seed(seed)
    shapes = [
        (bucket.users, bucket.words),
        (bucket.users, bucket.events),
        (bucket.users, bucket.candidates),
        (bucket.users, bucket.candidates, bucket.text_tokens),
    ]
    scale = float(table.detach().float().std())
    return [
        (scale * torch.randn(*shape, table.shape[1], generator=generator, device=table.device)).to(
            table.dtype
        )
        for shape in shapes
    ]
