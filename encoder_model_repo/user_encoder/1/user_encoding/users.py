"""What is asked of a tower: the histories of some users, padded to one length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

MS_PER_S = np.float32(1000.0)


class BadInput(Exception):
    """The input does not fit the release's tower; the text says where."""


@dataclass(frozen=True)
class Users:
    """Histories of B users, oldest event first, padded at the end to L events and U unknown items.

    rows: int64 [B, L]; -1 - k is the k-th of the user's unknown_vectors, float32 [B, U, D].
    actions, times_ms, next_ms: int64 [B, L]. features: float32 [B, L, E]. context: float32 [B, X].
    length: int64 [B], events of each user.
    """

    rows: np.ndarray
    unknown_vectors: np.ndarray
    actions: np.ndarray
    features: np.ndarray
    times_ms: np.ndarray
    next_ms: np.ndarray
    context: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def check(self, about: Mapping[str, int]) -> None:
        """Raise BadInput unless a tower of this description can read them.

        An index out of range would read any memory on a CPU, and end the process on a GPU.
        """
        events = (len(self), self.rows.shape[1])
        unknown = self.unknown_vectors.shape[1]
        shapes = {
            "UNKNOWN_VECTORS": (self.unknown_vectors, (len(self), unknown, about["text_width"])),
            "ACTIONS": (self.actions, events),
            "FEATURES": (self.features, (*events, about["event_width"])),
            "TIMES_MS": (self.times_ms, events),
            "NEXT_MS": (self.next_ms, events),
            "CONTEXT": (self.context, (len(self), about["context_width"])),
        }
        for name, (array, shape) in shapes.items():
            if array.shape != shape:
                raise BadInput(f"{name} has shape {[*array.shape]}, not {[*shape]}")
        if not 1 <= events[1] <= about["max_history"]:
            raise BadInput(f"ROWS has {events[1]} events, not 1 to {about['max_history']}")
        if not unknown:
            raise BadInput("UNKNOWN_VECTORS has none; one of zeros is the least")
        limits = {
            "ROWS": (self.rows, -unknown, about["items"] - 1),
            "ACTIONS": (self.actions, 0, about["actions"] - 1),
            "LENGTH": (self.length, 1, events[1]),
        }
        for name, (array, low, high) in limits.items():
            if array.min() < low or array.max() > high:
                raise BadInput(f"{name} must be from {low} to {high}")


def together(users: Sequence[Users]) -> Users:
    """Return all as one, padded with zeros to the longest."""
    return Users(
        *(_stacked([getattr(one, field.name) for one in users]) for field in fields(Users))
    )


def parts(users: Users, at_most: int) -> list[np.ndarray]:
    """Return places of users of similar length, `at_most` in each part."""
    order = np.argsort(users.length, kind="stable")
    return [order[start : start + at_most] for start in range(0, len(order), at_most)]


def arguments(users: Users, places: np.ndarray) -> list[np.ndarray]:
    """Return what an exported tower takes for some of the users, cut to the longest of them."""
    cut = slice(int(users.length[places].max()))
    return [
        users.rows[places, cut],
        users.unknown_vectors[places],
        users.actions[places, cut],
        users.features[places, cut],
        time_buckets(users.times_ms[places, cut], users.next_ms[places, cut]),
        users.context[places],
        users.length[places],
    ]


def time_buckets(times_ms: np.ndarray, next_ms: np.ndarray, count: int = 32) -> np.ndarray:
    """Return floor(log2(1 + seconds)) from each event to what each position predicts, [B, L, L].

    In float32 and by the exponent, as `models.tower.attention_bias` has it in training.
    """
    elapsed_ms = np.maximum(next_ms[:, :, None] - times_ms[:, None, :], 0)
    exponents = np.frexp(elapsed_ms.astype(np.float32) / MS_PER_S + np.float32(1.0))[1]
    return np.asarray(np.minimum(exponents - 1, count - 1), np.int64)


def _stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    longest = np.max([array.shape[1:] for array in arrays], axis=0)
    stacked = np.zeros((sum(map(len, arrays)), *longest), arrays[0].dtype)
    end = 0
    for array in arrays:
        start, end = end, end + len(array)
        stacked[(slice(start, end), *(slice(size) for size in array.shape[1:]))] = array
    return stacked
