"""Users' events as padded windows, each position with the event that came next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from features.context import contexts
from features.events import event_features
from features.places import familiarities
from training.interactions import Interactions
from training.split import targets_of

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sequences:
    """All users' events, and what each of them is to predict.

    features: float32 [events, E]. next_ms: int64 [events], the time of the user's next event.
    contexts: float32 [events, X], the situation of the next event. predicts: bool [events],
    whether the next event is to be predicted. used_U: int64, the rows of the items of all events,
    ascending.
    """

    interactions: Interactions
    features: Float32
    next_ms: Int64
    contexts: Float32
    predicts: npt.NDArray[np.bool_]
    used_U: Tensor


@dataclass(frozen=True)
class Windows:
    """B windows of at most L events, padded at the end.

    rows_BL: int64, 0 for padding. features_BLE, contexts_BLX: float32. times_ms_BL, next_ms_BL:
    int64. next_rows_BL: int64, the items to predict, where predicts_BL is true.
    """

    rows_BL: Tensor
    actions_BL: Tensor
    features_BLE: Tensor
    times_ms_BL: Tensor
    next_ms_BL: Tensor
    contexts_BLX: Tensor
    predicts_BL: Tensor
    next_rows_BL: Tensor

    def to(self, device: torch.device | str) -> "Windows":
        """Return the windows on a device."""
        return Windows(*(getattr(self, f.name).to(device) for f in fields(self)))


def sequences_of(
    interactions: Interactions, repeat: bool, rating_mean: float, rating_scale: float
) -> Sequences:
    """Return what the tower reads of all users."""
    events = interactions.events
    predicts = np.zeros(len(events), dtype=bool)
    features, situations = [], []
    next_ms = np.concatenate([events.times_ms[1:], events.times_ms[-1:]])
    for user in range(interactions.users):
        own, start = interactions.of(user), int(interactions.starts[user])
        predicts[start + targets_of(own, repeat) - 1] = True
        features.append(event_features(own, rating_mean, rating_scale))
        if len(own):
            next_ms[start + len(own) - 1] = own.times_ms[-1]
            following = np.minimum(np.arange(1, len(own) + 1), len(own) - 1)
            situations.append(
                contexts(
                    own.times_ms,
                    own.times_ms[following],
                    own.offsets_min[following],
                    np.arange(1, len(own) + 1),
                    familiarities(own.latitudes, own.longitudes),
                    np.isfinite(own.latitudes),
                )
            )
    return Sequences(
        interactions,
        np.concatenate(features),
        next_ms,
        np.concatenate(situations),
        predicts,
        torch.from_numpy(np.unique(events.rows).astype(np.int64)),
    )


def windows_of(
    sequences: Sequences, length: int, random: np.random.Generator
) -> list[tuple[int, int]]:
    """Cut all users' events into windows (start, end); where a cut falls is random."""
    windows = []
    for start, end in zip(
        sequences.interactions.starts[:-1], sequences.interactions.starts[1:], strict=True
    ):
        last = int(end) - 1  # the newest event predicts nothing
        cut = int(start)
        if last - cut > length:
            first = int(random.integers(1, length + 1))
            windows.append((cut, cut + first))
            cut += first
        windows += [(at, min(at + length, last)) for at in range(cut, last, length)]
    return [(a, b) for a, b in windows if sequences.predicts[a:b].any()]


def batches_of(
    windows: Sequence[tuple[int, int]], tokens: int, random: np.random.Generator
) -> Iterator[list[tuple[int, int]]]:
    """Yield batches of at most `tokens` positions, of about one length each, in random order."""
    order = random.permutation(len(windows)).tolist()
    order.sort(key=lambda place: windows[place][1] - windows[place][0])
    batches: list[list[tuple[int, int]]] = []
    for place in order:
        longest = windows[place][1] - windows[place][0]
        if not batches or (len(batches[-1]) + 1) * longest > tokens:
            batches.append([])
        batches[-1].append(windows[place])
    for place in random.permutation(len(batches)):
        yield batches[place]


def collate(sequences: Sequences, windows: Sequence[tuple[int, int]]) -> Windows:
    """Return windows as padded tensors."""
    length = max(end - start for start, end in windows)
    at = np.array([start for start, _ in windows])[:, None] + np.arange(length)
    ends = np.array([end for _, end in windows])[:, None]
    there = at < ends
    at = np.where(there, at, ends - 1)
    events = sequences.interactions.events
    follows = np.minimum(at + 1, len(events) - 1)
    return Windows(
        rows_BL=torch.from_numpy(events.rows[at].astype(np.int64)),
        actions_BL=torch.from_numpy(events.actions[at].astype(np.int64)),
        features_BLE=torch.from_numpy(sequences.features[at]),
        times_ms_BL=torch.from_numpy(events.times_ms[at]),
        next_ms_BL=torch.from_numpy(sequences.next_ms[at]),
        contexts_BLX=torch.from_numpy(sequences.contexts[at]),
        predicts_BL=torch.from_numpy(sequences.predicts[at] & there),
        next_rows_BL=torch.from_numpy(events.rows[follows].astype(np.int64)),
    )
