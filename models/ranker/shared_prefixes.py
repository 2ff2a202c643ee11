"""What the prefixes of several users have in common.

A prefix is read from left to right, so that what two begin with alike comes to the same states and
need be read once. So it is with one history from which one item or another was taken, and with
requests of one user that are scored together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.ranker.packed_user import PackedUser

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
FAR = np.iinfo(np.int64).max


@dataclass(frozen=True)
class SharedPrefixes:
    """Texts and S events of U users, each once.

    texts: token ids of the different ones; text_of_U: which of them is whose. begun: by user, how
    many of the first events another user before has brought. owner_S: int64, who brought an event;
    place_US: int64, where in each user's history it is, FAR for one that is not in it.
    """

    texts: Sequence[Sequence[int]]
    text_of_U: Int64
    begun: Sequence[int]
    owner_S: Int64
    place_US: Int64

    @property
    def place_S(self) -> Int64:
        """Where each event is in the histories that have it."""
        return self.place_US[self.owner_S, np.arange(len(self.owner_S))]


def share(users: Sequence[PackedUser], sides: Sequence[Float32]) -> SharedPrefixes:
    """Find what users' prefixes begin with alike. sides: of each user, what is read of events."""
    texts: dict[tuple[int, ...], int] = {}
    text_of = [texts.setdefault(tuple(user.text_ids), len(texts)) for user in users]
    paths: list[Int64] = []
    begun: list[int] = []
    count = 0
    for number, user in enumerate(users):
        alike = [
            _alike(user, sides[number], users[other], sides[other])
            if text_of[other] == text_of[number]
            else 0
            for other in range(number)
        ]
        start = max(alike, default=0)
        own = np.arange(count, count + len(user.events) - start)
        paths.append(np.concatenate([paths[alike.index(start)][:start], own]) if start else own)
        begun.append(start)
        count += len(own)
    place_US = np.full((len(users), count), FAR)
    for number, path in enumerate(paths):
        place_US[number, path] = np.arange(len(path))
    brought = [len(path) - start for path, start in zip(paths, begun, strict=True)]
    owner_S = np.repeat(np.arange(len(users)), brought)
    return SharedPrefixes(list(texts), np.array(text_of), begun, owner_S, place_US)


def _alike(one: PackedUser, side: Float32, other: PackedUser, other_side: Float32) -> int:
    """Return how many of the first events of two users the model cannot tell apart."""
    most = min(len(side), len(other_side))
    pairs = (
        (one.events.rows[:most, None], other.events.rows[:most, None]),
        (one.events.actions[:most, None], other.events.actions[:most, None]),
        (side[:most], other_side[:most]),
        (one.event_vectors[:most], other.event_vectors[:most]),
    )
    differ = np.zeros(most, np.bool_)
    for own, others in pairs:
        differ |= (own != others).any(axis=1)
        if most and differ[0]:
            return 0
    return int(differ.argmax()) if differ.any() else most
