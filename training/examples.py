"""Training examples of the ranker: targets with the candidates that the sources find for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.candidates import ReleaseTables, UserView, hit_features, own_features, view_user
from features.context import context_features
from features.events import EventArrays
from training.interactions import Interactions
from training.settings import TrainSettings
from training.sources import Found, find_candidates
from training.targets import Target
from training.words import NO_WORDS, Words

AT_ONCE = 64


@dataclass(frozen=True)
class Example:
    """A target with its candidates.

    found: the candidates as the sources found them. found_at: place of the target among them, -1
    if no source found it. features: float16 [C, features], for thousands are kept. context:
    float32 [X].
    """

    target: Target
    found: Found
    features: npt.NDArray[np.float16]
    context: npt.NDArray[np.float32]
    found_at: int

    @property
    def rows(self) -> npt.NDArray[np.int32]:
        """Item rows of the candidates, int32 [C]."""
        return self.found.rows


class ExampleMaker:
    """Makes examples from one state of the tables."""

    def __init__(
        self,
        tables: ReleaseTables,
        interactions: Interactions,
        words: Words,
        repeat: bool,
        settings: TrainSettings,
    ) -> None:
        self.tables = tables
        self.interactions = interactions
        self.words = words
        self.repeat = repeat
        self.settings = settings

    def examples(self, targets: Sequence[Target]) -> Iterator[Example]:
        """Yield an example for each target, in order."""
        for start in range(0, len(targets), AT_ONCE):
            some = targets[start : start + AT_ONCE]
            views = [self.view(target) for target in some]
            depth, count = self.settings.source_depth, self.settings.candidate_count
            found = find_candidates(self.tables, views, self.repeat, depth, count)
            for target, user, candidates in zip(some, views, found, strict=True):
                yield self._example(target, user, candidates)

    def history(self, target: Target) -> EventArrays:
        """Return what is known of the user's past before the target."""
        seen = 0 if target.forget else target.place
        return self.interactions.of(target.user)[:seen]

    def view(self, target: Target) -> UserView:
        """Return the user as the features see them just before the target."""
        history = self.history(target)
        words = self.words.vectors[target.words] if target.words != NO_WORDS else None
        time_ms = int(self.interactions.of(target.user).times_ms[target.place])
        vectors = self.tables.items.text_vectors[history.rows]
        return view_user(self.tables, history, vectors, words, time_ms)

    def _example(self, target: Target, user: UserView, found: Found) -> Example:
        event = self.interactions.of(target.user)[target.place : target.place + 1]
        vectors = self.tables.items.text_vectors[found.rows]
        own = own_features(self.tables, user, found.rows, vectors)
        features = np.concatenate([hit_features(found.scores, found.ranks), own], axis=1)
        context = context_features(
            self.history(target), user.time_ms, int(event.offsets_min[0]), target.words != NO_WORDS
        )
        at = np.flatnonzero(found.rows == event.rows[0])
        return Example(
            target,
            found,
            features.astype(np.float16),
            context,
            int(at[0]) if len(at) else -1,
        )
