"""Length-similar groups: little padding, few calls."""

from collections.abc import Sequence

import numpy as np


def similar_to_first(lengths: Sequence[int], call_cost: int, tokens_max: int) -> list[int]:
    """Return the places of the first text and of others that are best encoded with it.

    lengths: in tokens. `call_cost` is what one more call of the engine costs, in tokens: texts of
    the next length, shorter or longer, come along while the padding that each brings costs no more.
    A group has at most `tokens_max` tokens with its padding, unless its first text alone has more.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    low = order.index(0)
    end = low + 1
    while True:
        longest = lengths[order[end - 1]]
        shorter = longest - lengths[order[low - 1]] if low > 0 else None
        longer = (lengths[order[end]] - longest) * (end - low) if end < len(order) else None
        added = min((cost for cost in (shorter, longer) if cost is not None), default=None)
        if added is None or added > call_cost:
            break
        first, last = (low - 1, end) if added == shorter else (low, end + 1)
        if (last - first) * lengths[order[last - 1]] > tokens_max:
            break
        low, end = first, last
    return order[low:end]


def pad(ids: Sequence[Sequence[int]], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Return token ids and attention mask, both int64 [texts, longest]."""
    width = max(len(row) for row in ids)
    tokens = np.full((len(ids), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(ids), width), dtype=np.int64)
    for row, text_ids in enumerate(ids):
        tokens[row, : len(text_ids)] = text_ids
        mask[row, : len(text_ids)] = 1
    return tokens, mask
