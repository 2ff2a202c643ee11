"""Training examples of the ranker: targets with the candidates that the sources find for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.candidate_items import items_of_rows
from features.candidates import hit_features, own_features
from features.context import context_features
from features.events import EventArrays
from features.heard import Heard, silence
from features.interests import interests
from features.moment import Moment, moment_after
from features.tower import TowerInput
from features.user_view import ReleaseTables, UserView, view_user
from features.words import Said
from tandem.v1.user_pb2 import InterestTag
from training.friends import NO_FRIENDS, Friends
from training.interactions import Interactions
from training.settings import TrainSettings
from training.sources import Found, Result, ask_sources, find_candidates
from training.targets import Target
from training.tower.loop import FittedTower
from training.tower.users import inputs_of, user_vectors
from training.words import NO_WORDS, Words

AT_ONCE = 64


@dataclass(frozen=True)
class Example:
    """A target with its candidates.

    found: the candidates as the sources found them. found_at: place of the target among them, -1
    if no source found it. features: float16 [C, features], for thousands are kept. context:
    float32 [X]. user_vector: float32 [W], the tower's.
    """

    target: Target
    found: Found
    user_vector: npt.NDArray[np.float32]
    features: npt.NDArray[np.float16]
    context: npt.NDArray[np.float32]
    found_at: int

    @property
    def rows(self) -> npt.NDArray[np.int32]:
        """Item rows of the candidates, int32 [C]."""
        return self.found.rows


@dataclass(frozen=True)
class Models:
    """What candidates and features come from, fitted together."""

    tables: ReleaseTables
    tower: FittedTower


class ExampleMaker:
    """Makes examples from one state of the models."""

    def __init__(
        self,
        models: Models,
        interactions: Interactions,
        words: Words,
        repeat: bool,
        settings: TrainSettings,
        friends: Friends = NO_FRIENDS,
    ) -> None:
        self.tables = models.tables
        self.tower = models.tower.served
        self.interactions = interactions.sensed_by(models.tables.senses)
        self.words = words
        self.repeat = repeat
        self.settings = settings
        self.friends = friends

    def examples(self, targets: Sequence[Target]) -> Iterator[Example]:
        """Yield an example for each target, in order."""
        for start in range(0, len(targets), AT_ONCE):
            some = targets[start : start + AT_ONCE]
            views = self.views(some)
            depth, count = self.settings.source_depth, self.settings.candidate_count
            said = self.said(some)
            found = find_candidates(self.tables, views, said, self.repeat, depth, count)
            for target, user, candidates in zip(some, views, found, strict=True):
                yield self._example(target, user, candidates)

    def lists(self, targets: Sequence[Target]) -> Iterator[list[Result]]:
        """Yield what each source finds for each target, in order."""
        for start in range(0, len(targets), AT_ONCE):
            some = targets[start : start + AT_ONCE]
            views, depth = self.views(some), self.settings.source_depth
            yield from ask_sources(self.tables, views, self.said(some), self.repeat, depth)

    def said(self, targets: Sequence[Target]) -> list[str]:
        """Return the words of each target, "" where there are none."""
        return [self.words.texts[target.words] for target in targets]

    def history(self, target: Target) -> EventArrays:
        """Return what is known of the user's past before the target."""
        seen = 0 if target.forget else target.place
        return self.interactions.of(target.user)[:seen]

    def views(self, targets: Sequence[Target]) -> list[UserView]:
        """Return the users as the features see them just before their targets."""
        inputs: dict[int, TowerInput] = {}
        for place, target in enumerate(targets):
            history = self.history(target)
            if len(history):
                inputs[place] = inputs_of(self.tower, history, self.moment(target))
        vectors = dict(zip(inputs, user_vectors(self.tower, list(inputs.values())), strict=True))
        return [self.view(target, vectors.get(place)) for place, target in enumerate(targets)]

    def moment(self, target: Target) -> Moment:
        """Return when a target was, and where: at the place of the event before it.

        The target's own place would give the answer away.
        """
        events, place = self.interactions.of(target.user), target.place
        moment = moment_after(
            self.history(target), int(events.times_ms[place]), int(events.offsets_min[place])
        )
        regions = self.interactions.regions
        return replace(moment, region=regions[target.user]) if regions else moment

    def view(self, target: Target, tower_vector: npt.NDArray[np.float32] | None) -> UserView:
        """Return the user just before the target, with the tower's vector float32 [W], if any."""
        history = self.history(target)
        vectors = self.tables.items.text_vectors[history.rows]
        heard, moment = self.heard(target), self.moment(target)
        view = view_user(self.tables, history, vectors, heard, tower_vector, moment)
        return replace(view, friends_items=self.friends.items_before(target.user, moment.time_ms))

    def heard(self, target: Target) -> Heard:
        """Return what a target's words come to."""
        tags = self.tables.tags
        if target.words == NO_WORDS:
            return silence(self.tables.items.text_vectors.shape[1], len(tags.names))
        vector, weight = self.words.vectors[target.words], target.words_weight
        return Heard(vector, weight, tags.asked(self.interests(target)))

    def interests(self, target: Target) -> list[InterestTag]:
        """Return what a target's words are understood as."""
        said = Said(self.words.texts[target.words], target.words_weight)
        return interests(said, self.words.vectors[target.words], self.tables.tags)

    def _example(self, target: Target, user: UserView, found: Found) -> Example:
        event = self.interactions.of(target.user)[target.place : target.place + 1]
        own = own_features(
            self.tables,
            user,
            items_of_rows(
                self.tables.items, self.tables.tags, self.tables.tastes, found.rows, user.heard
            ),
        )
        hits = hit_features(found.scores, found.ranks, user.heard)
        features = np.concatenate([hits, own], axis=1)
        context = context_features(self.history(target), user.moment, user.heard.weight)
        at = np.flatnonzero(found.rows == event.rows[0])
        return Example(
            target,
            found.compact(),
            user.tower_vector,
            features.astype(np.float16),
            context,
            int(at[0]) if len(at) else -1,
        )
