"""What a ranker reads: arrays of one or more packed users."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class RankBatch:
    """B packed users: T text tokens, S events and C candidates each, padded.

    text_ids_BT: int64 token ids; text_mask_BT: bool, true for tokens that are there.
    event_rows_BS: int64 rows in the item table, -1 unknown or padding; event_vectors_BSD: float32
    contents (text vectors, with those of media behind them); event_actions_BS: int64;
    event_features_BSE: float32; event_mask_BS: bool.
    candidate_rows_BC, candidate_vectors_BCD, candidate_features_BCF: the same for candidates.
    candidate_texts_BCN: int64 token ids of the candidates' own texts, -1 for padding; N is 0 in
    item mode. context_BCX: float32, the request's context as seen at each candidate.
    visible_BC: int64, how many events each candidate may see, counted from the oldest; in serving
    all, in training those before its target. obeyed_B: bool, whether words are a request's and are
    to be obeyed, even for a newcomer.
    """

    text_ids_BT: Tensor
    text_mask_BT: Tensor
    event_rows_BS: Tensor
    event_vectors_BSD: Tensor
    event_actions_BS: Tensor
    event_features_BSE: Tensor
    event_mask_BS: Tensor
    candidate_rows_BC: Tensor
    candidate_vectors_BCD: Tensor
    candidate_features_BCF: Tensor
    candidate_texts_BCN: Tensor
    context_BCX: Tensor
    visible_BC: Tensor
    obeyed_B: Tensor

    @property
    def new_BC(self) -> Tensor:
        """Whether a candidate is for a newcomer: a user without history."""
        return self.visible_BC == 0

    def to(self, device: torch.device | str) -> "RankBatch":
        """Return the batch on a device."""
        return RankBatch(*(getattr(self, f.name).to(device) for f in fields(self)))
