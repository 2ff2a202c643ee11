"""Which events are predicted: to learn from, to choose by, and to test on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
    """The targets of a run. newcomers: those to validate on, of new users who tell their taste."""

    learn: list[Target]
    validate: list[Target]
    test: list[Target]
    newcomers: list[Target] = field(default_factory=list)

    def words(self) -> npt.NDArray[np.int64]:
        """Return the places of all words that are said, without repeats."""
        said = [t.words for t in (*self.learn, *self.validate, *self.test, *self.newcomers)]
        return np.unique(np.array(said, np.int64))


def choose_targets(
    split: Split, interactions: Interactions, words: Words, settings: TrainSettings
) -> Targets:
    """Draw the targets of a run."""
    random = np.random.default_rng(settings.seed)
    validate = _held_out(split.valid, settings.validation_users, words, random)
    return Targets(
        _window(split.window, interactions, words, settings),
        validate,
        _held_out(split.test, settings.evaluation_users, words, random),
        [
            replace(target, words=int(said), words_weight=1.0, forget=True)
            for target in validate
            if (said := words.of_taste[target.user]) != NO_WORDS
        ],
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

    Some targets come once more, with words: half of them with history and a sentence of the
    target's own categories and tags, so that the ranker learns to obey, and half as new users who
    tell what they like, so that it learns how much that is worth.
    """
    random = np.random.default_rng(settings.seed)
    targets: list[Target] = []
    for user, places in enumerate(window):
        events = interactions.of(user)
        for place in places:
            targets.append(Target(user, int(place), *words.known(user, int(place))))
            if random.random() >= settings.words_share:
                continue
            forget = bool(random.random() < 0.5)
            said = int(words.of_taste[user] if forget else words.of_item[events.rows[place]])
            if said != NO_WORDS:
                targets.append(Target(user, int(place), said, 1.0, forget))
    return targets
