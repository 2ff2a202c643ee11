"""Users' own words in training: profiles, reviews, and words made from what a target is."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
SHARE_LEAST = 0.002
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Words:
    """Distinct texts by place; place 0 is "".

    of_user: int64 [users], each user's profile. of_event: int64 [events], the review that an event
    carries, in the order of `Interactions`, whose starts are `starts`. of_item: int64 [items],
    words that somebody who wants the item might say. of_taste: int64 [users], words that a user
    might say of themselves, from the older half of what they did. vectors: float32 [texts, D],
    zeros for texts that no target needs.
    """

    texts: list[str]
    of_user: Int64
    of_event: Int64
    starts: Int64
    of_item: Int64
    of_taste: Int64
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

    An item's words are a sentence of up to three of its categories and tags that several items
    have, and a user's of up to five that their items have more often than others do, drawn by
    `seed`.
    """
    random = np.random.default_rng(seed)
    place: dict[str, int] = {"": NO_WORDS}

    def places_of(texts: Iterable[str]) -> Int64:
        return np.array([place.setdefault(text, len(place)) for text in texts], np.int64)

    users = zip(dataset.users.text, dataset.users.tags, strict=True)
    of_user = places_of(profile_words(text, tags) for text, tags in users)
    reviews = dataset.interactions.text.to_numpy()[interactions.file_rows]
    of_event = places_of(review_words(text) for text in reviews)
    names = [
        [*categories, *tags]
        for categories, tags in zip(dataset.items.categories, dataset.items.tags, strict=True)
    ]
    usual = Counter(name for own in names for name in own)
    # What only one item is called would give it away: nobody describes what they want like that.
    least = max(2.0, SHARE_LEAST * len(names))
    shared = [[name for name in own if usual[name] >= least] for own in names]
    of_item = places_of(
        _sentence(own, min(len(own), int(random.integers(1, 4))), None, random) for own in shared
    )
    of_taste = places_of(
        _taste(interactions.of(user).rows, shared, usual, random)
        for user in range(interactions.users)
    )
    nothing = np.zeros((len(place), 0), np.float32)
    return Words(list(place), of_user, of_event, interactions.starts, of_item, of_taste, nothing)


def _taste(
    rows: npt.NDArray[np.int32],
    names: Sequence[Sequence[str]],
    usual: Mapping[str, int],
    random: np.random.Generator,
) -> str:
    """Return what a user might say of themselves, after the older half of their items."""
    older = rows[: len(rows) // 2].tolist()
    counts = Counter(name for row in older for name in names[row])
    lifts = {
        name: count * np.log(count / len(older) * len(names) / usual[name])
        for name, count in counts.items()
    }
    telling = [name for name, lift in lifts.items() if lift > 0]
    weights = np.array([lifts[name] for name in telling])
    return _sentence(telling, min(len(telling), int(random.integers(1, 6))), weights, random)


def _sentence(
    known: Sequence[str],
    count: int,
    weights: npt.NDArray[np.float64] | None,
    random: np.random.Generator,
) -> str:
    """Return what somebody might say who wants `count` of these names, "" for none of them."""
    if not count:
        return ""
    chances = None if weights is None else weights / weights.sum()
    drawn = random.choice(len(known), size=count, replace=False, p=chances)
    names = [known[place].lower() for place in drawn.tolist()]
    chinese = bool(_CHINESE.search("".join(names)))
    joints, shapes = (("、", "和"), CHINESE) if chinese else ((", ", " and "), ENGLISH)
    return shapes[random.integers(len(shapes))].format(joints[random.integers(2)].join(names))
