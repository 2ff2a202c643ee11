"""One user's part of a batch, as numpy arrays, and the padding of several into one batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from features.events import EventArrays, event_features
from models.ranker.batch import RankBatch
from models.ranker.config import RankerConfig

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class PackedCandidates:
    """Candidates of one user; each array has one row per candidate, see `RankBatch`.

    texts: int [n, N], token ids, -1 after the last. visible: how many of the user's packed events
    the candidate may see.
    """

    rows: Array
    vectors: Array
    features: Array
    texts: Array
    context: Array
    visible: Array


@dataclass(frozen=True)
class PackedUser:
    """The arrays of one user: see `RankBatch`, without the batch dimension and without padding.

    obeyed: whether the words are of a request and are to be obeyed, even for a newcomer.
    """

    text_ids: Sequence[int]
    events: EventArrays
    event_vectors: Array
    candidates: PackedCandidates
    obeyed: bool = False


def collate(config: RankerConfig, users: Sequence[PackedUser]) -> RankBatch:
    """Pad users to the longest of each part and stack them."""
    texts = [np.asarray(u.text_ids) for u in users]
    rows = [u.events.rows for u in users]
    side = [event_features(u.events, config.rating_mean, config.rating_scale) for u in users]
    candidates = [u.candidates for u in users]
    return RankBatch(
        text_ids_BT=_stack(texts, torch.int64),
        text_mask_BT=_mask(texts),
        event_rows_BS=_stack(rows, torch.int64, fill=-1),
        event_vectors_BSD=_stack([u.event_vectors for u in users], torch.float32),
        event_actions_BS=_stack([u.events.actions for u in users], torch.int64),
        event_features_BSE=_stack(side, torch.float32),
        event_mask_BS=_mask(rows),
        candidate_rows_BC=_stack([c.rows for c in candidates], torch.int64, fill=-1),
        candidate_vectors_BCD=_stack([c.vectors for c in candidates], torch.float32),
        candidate_features_BCF=_stack([c.features for c in candidates], torch.float32),
        candidate_texts_BCN=_trimmed(_stack([c.texts for c in candidates], torch.int64, fill=-1)),
        context_BCX=_stack([c.context for c in candidates], torch.float32),
        visible_BC=_stack([c.visible for c in candidates], torch.int64),
        obeyed_B=torch.tensor([u.obeyed for u in users]),
    )


def _stack(arrays: Sequence[Array], dtype: torch.dtype, fill: int = 0) -> Tensor:
    longest = max(len(array) for array in arrays)
    out = torch.full((len(arrays), longest, *arrays[0].shape[1:]), fill, dtype=dtype)
    for row, array in enumerate(arrays):
        out[row, : len(array)] = torch.from_numpy(np.ascontiguousarray(array))
    return out


def _trimmed(texts_BCN: Tensor) -> Tensor:
    """Return token ids without the columns that hold only padding."""
    longest = int((texts_BCN >= 0).sum(-1).max()) if texts_BCN.numel() else 0
    return texts_BCN[..., :longest]


def _mask(arrays: Sequence[Array]) -> Tensor:
    lengths = torch.tensor([len(array) for array in arrays])
    return torch.arange(int(lengths.max()))[None, :] < lengths[:, None]
