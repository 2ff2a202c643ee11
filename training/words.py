"""Users' own words in training: profiles, reviews, and words made from what a target is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.words import REVIEW_EVENTS, faded, profile_words, review_words
from training.datasets.format import Dataset
from training.interactions import Interactions

Int64 = npt.NDArray[np.int64]
NO_WORDS = 0
# How people say what they want; as often as not by naming it.
ENGLISH = ("{}", "{}", "something with {}", "I like {}", "in the mood for {}", "{}, please")
CHINESE = ("{}", "{}", "想看{}", "我喜欢{}", "来点{}", "有{}的")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Words:
    """Distinct texts by place; place 0 is "".

    of_user: int64 [users], each user's profile. of_event: int64 [events], the review that an event
    carries, in the order of `Interactions`, whose starts are `starts`. of_item: int64 [items],
    words that somebody who wants the item might say. vectors: float32 [texts, D], zeros for texts
    that no target needs.
    """

    texts: list[str]
    of_user: Int64
    of_event: Int64
    starts: Int64
    of_item: Int64
    vectors: npt.NDArray[np.float32]

    def known(self, user: int, place: int) -> tuple[int, float]:
        """Return what serving would take as a user's words before an event, and what they count.

        A profile is taken to be older than all events.
        """
        if self.of_user[user] != NO_WORDS:
            return int(self.of_user[user]), faded(place)
        start = int(self.starts[user])
        recent = self.of_event[start + max(0, place - REVIEW_EVENTS) : start + place]
        said = recent[recent != NO_WORDS]
        return (int(said[-1]), 1.0) if len(said) else (NO_WORDS, 0.0)


def collect_words(dataset: Dataset, interactions: Interactions, seed: int) -> Words:
    """Return the words of a data set, without vectors.

    An item's words are a sentence of up to three of its categories and tags, drawn by `seed`.
    """
    random = np.random.default_rng(seed)
    place: dict[str, int] = {"": NO_WORDS}

    def places_of(texts: Iterable[str]) -> Int64:
        return np.array([place.setdefault(text, len(place)) for text in texts], np.int64)

    users = zip(dataset.users.text, dataset.users.tags, strict=True)
    of_user = places_of(profile_words(text, tags) for text, tags in users)
    reviews = dataset.interactions.text.to_numpy()[interactions.file_rows]
    of_event = places_of(review_words(text) for text in reviews)
    of_item = places_of(
        _sentence([*categories, *tags], random)
        for categories, tags in zip(dataset.items.categories, dataset.items.tags, strict=True)
    )
    nothing = np.zeros((len(place), 0), np.float32)
    return Words(list(place), of_user, of_event, interactions.starts, of_item, nothing)


def _sentence(known: list[str], random: np.random.Generator) -> str:
    """Return what somebody might say who wants something of these names, "" without names."""
    count = min(len(known), int(random.integers(1, 4)))
    if not count:
        return ""
    names = [known[i].lower() for i in sorted(random.permutation(len(known))[:count])]
    chinese = bool(_CHINESE.search("".join(names)))
    joints, shapes = (("、", "和"), CHINESE) if chinese else ((", ", " and "), ENGLISH)
    return shapes[random.integers(len(shapes))].format(joints[random.integers(2)].join(names))
