"""Which events are predicted: to learn from, to choose by, and to test on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.interactions import Interactions
from training.settings import TrainSettings
from training.split import Split
from training.words import NO_WORDS, Words


@dataclass(frozen=True)
class Target:
    """One event to predict: user, place of the event, and what the user says.

    words: place in Words. words_weight: how much they count, 0 without any. forget: whether the
    history is withheld, as for a new user.
    """

    user: int
    place: int
    words: int = NO_WORDS
    words_weight: float = 0.0
    forget: bool = False


@dataclass(frozen=True)
class Targets:
    """The targets of a run."""

    learn: list[Target]
    validate: list[Target]
    test: list[Target]

    def words(self) -> npt.NDArray[np.int64]:
        """Return the places of all words that are said, without repeats."""
        said = [t.words for t in (*self.learn, *self.validate, *self.test)]
        return np.unique(np.array(said, np.int64))


def choose_targets(
    split: Split, interactions: Interactions, words: Words, settings: TrainSettings
) -> Targets:
    """Draw the targets of a run."""
    random = np.random.default_rng(settings.seed)
    return Targets(
        _window(split.window, interactions, words, settings),
        _held_out(split.valid, settings.validation_users, words, random),
        _held_out(split.test, settings.evaluation_users, words, random),
    )


def _held_out(
    places: npt.NDArray[np.int64], most: int, words: Words, random: np.random.Generator
) -> list[Target]:
    """Return held-out targets of at most so many users, drawn at random."""
    users = np.flatnonzero(places >= 0)
    chosen = np.sort(random.permutation(users)[:most])
    return [Target(int(u), int(places[u]), *words.known(int(u), int(places[u]))) for u in chosen]


def _window(
    window: Sequence[npt.NDArray[np.int64]],
    interactions: Interactions,
    words: Words,
    settings: TrainSettings,
) -> list[Target]:
    """Return the targets that the ranker learns from.

    Some targets come once more as a user known by words made from the target's own categories and
    tags, half of them without history: so the ranker learns to take people at their word.
    """
    random = np.random.default_rng(settings.seed)
    targets: list[Target] = []
    for user, places in enumerate(window):
        events = interactions.of(user)
        for place in places:
            targets.append(Target(user, int(place), *words.known(user, int(place))))
            said = int(words.of_item[events.rows[place]])
            if said != NO_WORDS and random.random() < settings.words_share:
                forget = bool(random.random() < 0.5)
                targets.append(Target(user, int(place), said, 1.0, forget))
    return targets
