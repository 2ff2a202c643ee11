"""Which events are predicted: to learn from, to choose by, and to test on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from training.interactions import Interactions
from training.settings import TrainSettings
from training.split import Split
from training.words import NO_WORDS, Words

# Of the users that have a window; and of these, who say nothing.
NEWCOMERS_SHARE = 1 / 3
SILENT_SHARE = 0.2


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
    """The targets of a run. newcomers: of users taken for new, to learn from."""

    learn: list[Target]
    validate: list[Target]
    test: list[Target]
    newcomers: list[Target] = field(default_factory=list)

    @property
    def apart(self) -> npt.NDArray[np.int64]:
        """The newcomers, int64 [n]: what people of a taste go for is learned from the others."""
        return np.unique(np.array([target.user for target in self.newcomers], np.int64))

    def words(self) -> npt.NDArray[np.int64]:
        """Return the places of all words that are said, without repeats."""
        said = [t.words for t in (*self.learn, *self.newcomers, *self.validate, *self.test)]
        return np.unique(np.array(said, np.int64))


def choose_targets(
    split: Split, interactions: Interactions, words: Words, settings: TrainSettings
) -> Targets:
    """Draw the targets of a run."""
    random = np.random.default_rng(settings.seed)
    validate = _held_out(split.valid, settings.validation_users, words, random)
    test = _held_out(split.test, settings.evaluation_users, words, random)
    newcomers = _newcomers(split.window, words, settings)
    learn = _window(split.window, interactions, words, settings)
    return Targets(learn, validate, test, newcomers)


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

    Some come once more with words, a sentence of the target's own categories and tags, so that the
    ranker learns to obey.
    """
    random = np.random.default_rng(settings.seed)
    targets: list[Target] = []
    for user, places in enumerate(window):
        events = interactions.of(user)
        for place in places:
            targets.append(Target(user, int(place), *words.known(user, int(place))))
            if random.random() >= settings.words_share:
                continue
            said = int(words.of_item[events.rows[place]])
            if said != NO_WORDS:
                targets.append(Target(user, int(place), said, 1.0))
    return targets


def _newcomers(
    window: Sequence[npt.NDArray[np.int64]], words: Words, settings: TrainSettings
) -> list[Target]:
    """Return the targets of some users as if they were new.

    They say what they say of themselves, or might say; some say nothing.
    """
    random = np.random.default_rng(settings.seed)
    there = np.flatnonzero([len(places) > 0 for places in window])
    most = math.ceil(NEWCOMERS_SHARE * len(there))
    targets: list[Target] = []
    for user in random.permutation(there)[:most].tolist():
        if len(targets) >= settings.newcomers:
            break
        said = int(words.of_user[user] or words.of_taste[user])
        if random.random() < SILENT_SHARE:
            said = NO_WORDS
        weight = float(said != NO_WORDS)
        targets += [Target(user, int(place), said, weight, forget=True) for place in window[user]]
    return targets
