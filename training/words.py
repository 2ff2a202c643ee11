"""Users' own words in training: profile texts, and words made from what a target is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.words import profile_words
from training.datasets.format import Dataset

NO_WORDS = 0


@dataclass(frozen=True)
class Words:
    """Distinct texts and their vectors; place 0 is "" with a vector of zeros.

    texts: list of str. vectors: float32 [texts, D]. of_user: int64 [users], each user's profile.
    of_item: int64 [items], words that somebody who wants the item might say.
    """

    texts: list[str]
    vectors: npt.NDArray[np.float32]
    of_user: npt.NDArray[np.int64]
    of_item: npt.NDArray[np.int64]


def collect_words(dataset: Dataset, seed: int) -> tuple[list[str], Words]:
    """Return the distinct texts to encode, and the words with vectors still of width 0.

    An item's words are up to three of its categories and tags, drawn by `seed`.
    """
    random = np.random.default_rng(seed)
    place: dict[str, int] = {"": NO_WORDS}

    def place_of(text: str) -> int:
        return place.setdefault(text, len(place))

    users = zip(dataset.users.text, dataset.users.tags, strict=True)
    of_user = [place_of(profile_words(text, tags)) for text, tags in users]
    of_item = []
    for categories, tags in zip(dataset.items.categories, dataset.items.tags, strict=True):
        known = [*categories, *tags]
        count = min(len(known), int(random.integers(1, 4)))
        drawn = sorted(random.permutation(len(known))[:count])
        of_item.append(place_of(", ".join(known[i].lower() for i in drawn)))
    texts = list(place)
    empty = np.zeros((len(texts), 0), np.float32)
    return texts, Words(texts, empty, np.array(of_user, np.int64), np.array(of_item, np.int64))
