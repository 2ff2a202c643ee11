"""Length-similar groups: little padding, few calls."""

from collections.abc import Sequence

import numpy as np


def group_by_length(lengths: Sequence[int], call_cost: int) -> list[np.ndarray]:
    """Return the indices of the texts in groups to be padded together, longest group first.

    `call_cost` is what one more call of the engine costs, in tokens: the texts are walked by
    length, and a longer one starts a new group when padding up to it would cost more than that.
    """
    order = np.argsort(lengths, kind="stable")
    groups = []
    start = 0
    for end in range(1, len(order)):
        growth = lengths[order[end]] - lengths[order[end - 1]]
        if (end - start) * growth > call_cost:
            groups.append(order[start:end])
            start = end
    groups.append(order[start:])
    return groups[::-1]


def pad(ids: Sequence[Sequence[int]], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Return token ids and attention mask, both int64 [texts, longest]."""
    longest = max(len(row) for row in ids)
    tokens = np.full((len(ids), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(ids), longest), dtype=np.int64)
    for row, text_ids in enumerate(ids):
        tokens[row, : len(text_ids)] = text_ids
        mask[row, : len(text_ids)] = 1
    return tokens, mask
