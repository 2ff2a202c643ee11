"""Several users one after the other without padding: how a ranker is fed in serving."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from features.events import event_features
from models.ranker.config import RankerConfig
from models.ranker.packed_user import Array, PackedUser
from models.ranker.shared_prefixes import SharedPrefixes, share

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True)
class FlatBatch:
    """T text tokens, S events and C candidates of one user or several, one user after the other.

    The arrays are those of `RankBatch` without its first dimension: nothing is padded, and masks
    keep users apart. What the prefixes of two begin with alike is there once. Where nobody has any
    text, there is one token that no other sees.

    prefix_mask_PP: bool, true where a prefix token (texts of all users, then events of all) may
    look. candidate_mask_CP: bool, where a candidate may look. own_mask_CO: bool, which of the O
    tokens of each candidate are there. positions_L: int64, of all tokens: prefix, then candidates.
    new_C: bool, whether a candidate is for a newcomer; obeyed_C: bool, whether words are to be
    obeyed. parts: where each user's candidates are.
    """

    text_ids_T: Int64
    event_rows_S: Int64
    event_vectors_SD: Float32
    event_actions_S: Int64
    event_features_SE: Float32
    candidate_rows_C: Int64
    candidate_vectors_CD: Float32
    candidate_features_CF: Float32
    candidate_texts_CN: Int64
    context_CX: Float32
    prefix_mask_PP: Bool
    candidate_mask_CP: Bool
    own_mask_CO: Bool
    positions_L: Int64
    new_C: Bool
    obeyed_C: Bool
    parts: Sequence[slice]


def flat_batch(
    config: RankerConfig, users: Sequence[PackedUser], *, rounded: bool = False
) -> FlatBatch:
    """Put users one after the other.

    rounded: whether text tokens and candidates that are nobody's bring lengths up to a `round_up`,
    for an engine that prepares itself anew for each shape. They are behind the others.
    """
    size = round_up if rounded else int
    candidates = [user.candidates for user in users]
    sides = [event_features(u.events, config.rating_mean, config.rating_scale) for u in users]
    shared = share(users, sides)
    texts, events = [len(text) for text in shared.texts], len(shared.owner_S)
    counts = [len(each.rows) for each in candidates]
    # Not every engine can do without any text: then there is one token that is nobody's.
    no_texts = size(max(sum(texts), 1) + events) - sum(texts) - events
    nobody = size(sum(counts)) - sum(counts)

    def of_candidates(arrays: Sequence[Array], dtype: type[np.generic], fill: int = 0) -> Any:
        return _with_rows(_joined(arrays, dtype), nobody, fill)

    def of_events(arrays: Iterable[Array], dtype: type[np.generic]) -> Any:
        own = [array[start:] for array, start in zip(arrays, shared.begun, strict=True)]
        return _joined(own, dtype)

    tokens = of_candidates([each.texts for each in candidates], np.int64, fill=-1)
    tokens = _trimmed(tokens, size)
    visible = of_candidates([each.visible for each in candidates], np.int64)

    text_owner = _with_rows(np.repeat(np.arange(len(texts)), texts), no_texts, NOBODY)
    text_of = np.append(shared.text_of_U, NOBODY)  # the last is nobody's
    owner = _with_rows(np.repeat(np.arange(len(users)), counts), nobody, NOBODY)
    after_text = np.array([len(user.text_ids) for user in users])
    sees_text = text_of[owner][:, None] == text_owner
    sees_events = shared.place_US[owner] < visible[:, None]
    own = np.ones((len(owner), 1 + tokens.shape[1]), np.bool_)
    own[:, 1:] = tokens >= 0
    starts_at = after_text[owner] + visible
    positions = [
        _with_rows(_count_up(texts), no_texts, 0),
        after_text[shared.owner_S] + shared.place_S,
        (starts_at[:, None] + np.arange(own.shape[1])).ravel(),
    ]
    return FlatBatch(
        text_ids_T=_with_rows(_joined(shared.texts, np.int64), no_texts, 0),
        event_rows_S=of_events((user.events.rows for user in users), np.int64),
        event_vectors_SD=of_events((user.event_vectors for user in users), np.float32),
        event_actions_S=of_events((user.events.actions for user in users), np.int64),
        event_features_SE=of_events(sides, np.float32),
        candidate_rows_C=of_candidates([each.rows for each in candidates], np.int64, fill=-1),
        candidate_vectors_CD=of_candidates([each.vectors for each in candidates], np.float32),
        candidate_features_CF=of_candidates([each.features for each in candidates], np.float32),
        candidate_texts_CN=tokens,
        context_CX=of_candidates([each.context for each in candidates], np.float32),
        prefix_mask_PP=_prefix_mask(text_owner, shared),
        candidate_mask_CP=np.concatenate([sees_text, sees_events], axis=1),
        own_mask_CO=own,
        positions_L=np.concatenate(positions),
        new_C=visible == 0,
        obeyed_C=np.array([user.obeyed for user in users])[owner],
        parts=[slice(*ends) for ends in pairwise([0, *np.cumsum(counts).tolist()])],
    )


def round_up(length: int) -> int:
    """Return the next of eight lengths between two powers of two: at most an eighth more."""
    step = 1 << max((length // 8).bit_length() - 1, 0)
    return -(-length // step) * step


def tokens_of(user: PackedUser) -> int:
    """Return how many tokens a user takes in a batch."""
    tokens = 1 + user.candidates.texts.shape[1]
    return len(user.text_ids) + len(user.events) + len(user.candidates.rows) * tokens


def _prefix_mask(text_owner: Int64, shared: SharedPrefixes) -> Bool:
    """Return who sees whom: texts their own text, events that and the events up to themselves."""
    texts, owner = len(text_owner), shared.owner_S
    mask = np.zeros((texts + len(owner),) * 2, np.bool_)
    mask[:texts, :texts] = text_owner[:, None] == text_owner
    mask[texts:, :texts] = shared.text_of_U[owner][:, None] == text_owner
    mask[texts:, texts:] = shared.place_US[owner] <= shared.place_S[:, None]
    return mask


def _joined(arrays: Sequence[Array | Sequence[int]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    if len(arrays) == 1:
        return np.ascontiguousarray(arrays[0], dtype)
    return np.concatenate(arrays).astype(dtype, copy=False)


def _count_up(counts: Sequence[int]) -> Int64:
    """Return 0, 1, ... for each of the counts in turn."""
    return np.concatenate([np.arange(count) for count in counts])


def _with_rows(array: npt.NDArray[Any], count: int, fill: int) -> npt.NDArray[Any]:
    """Return an array with so many rows more behind it."""
    if not count:
        return array
    more = np.full((count, *array.shape[1:]), fill, array.dtype)
    return np.concatenate([array, more])


def _trimmed(texts_CN: Int64, size: Callable[[int], int]) -> Int64:
    """Return token ids without columns that hold only padding, but for those up to a size."""
    longest = int((texts_CN >= 0).sum(-1).max(initial=0)) if texts_CN.size else 0
    return texts_CN[:, : size(longest)]
