"""Who knows whom in a world: people of like taste, and some by chance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_world.preference import UserTraits

# Of so many whom a person has met, these are the most alike; and these come by chance.
MET = 200
ALIKE = 5
BY_CHANCE = 2
SHARING_SHARE = 0.8
TASTE_WEIGHT = 2.0


@dataclass(frozen=True)
class FriendRow:
    """That somebody counts another among their friends. Fields are columns of social.csv."""

    user_id: str
    friend_id: str
    weight: float


def make_friends(rng: np.random.Generator, people: UserTraits) -> list[FriendRow]:
    """Return friendships, each in both directions with one weight.

    Each person finds ALIKE friends of like taste, in what texts tell and in what they do not, and
    BY_CHANCE others; whoever is found has the finder for a friend.
    """
    pairs = {(min(pair), max(pair)) for pair in _found(rng, _likings(people))}
    rows = []
    for one, other in sorted(pairs):
        weight = round(float(0.1 + rng.gamma(2.0, 0.5)), 2)
        ids = people.user_ids[one], people.user_ids[other]
        rows += [FriendRow(*ids, weight), FriendRow(*ids[::-1], weight)]
    return sorted(rows, key=lambda row: (row.user_id, row.friend_id))


def who_shares(rng: np.random.Generator, count: int) -> npt.NDArray[np.bool_]:
    """Return who of `count` people lets friends see what they use, [count]."""
    return rng.random(count) < SHARING_SHARE


def _found(rng: np.random.Generator, likings: npt.NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    count = len(likings)
    for user in range(count if count > 1 else 0):
        met = np.setdiff1d(rng.integers(0, count, MET), user)
        alike = met[np.argsort(-(likings[met] @ likings[user]), kind="stable")[:ALIKE]]
        by_chance = rng.choice(met, size=min(BY_CHANCE, len(met)), replace=False)
        for friend in np.union1d(alike, by_chance).tolist():
            yield user, friend


def _likings(people: UserTraits) -> npt.NDArray[np.float64]:
    """Return vectors of length 1 whose cosines say how alike people's tastes are, [people, L]."""
    kinds = (np.sqrt(people.taste), people.topics, people.moods, people.looks, people.hidden)
    parts = [_unit(kind - kind.mean(axis=0)) for kind in kinds]
    # Of which categories people love, more of what they do comes than of anything else.
    parts[0] *= TASTE_WEIGHT
    return _unit(np.concatenate(parts, axis=1))


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: npt.NDArray[np.float64] = vectors / np.maximum(lengths, 1e-9)
    return unit
