"""A run's events as an older release knows them: by its own rows, without items newer than it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.release import Release
from training.evaluation.in_process import models_of, settings_of
from training.examples import ExampleMaker
from training.fitting import Run
from training.friends import NO_FRIENDS
from training.shown import Shown
from training.sources import Found
from training.targets import Target


class KnownTo:
    """What a release can be asked of a run's events."""

    def __init__(self, release: Release, run: Run) -> None:
        self.rows: npt.NDArray[np.int32] = release.items.rows(run.base.item_ids)
        self._starts = run.known.starts
        self._known = self.rows[run.known.events.rows] >= 0
        self._before = np.concatenate([[0], np.cumsum(self._known)])
        some = run.known.where(self._known)
        events = replace(some, events=replace(some.events, rows=self.rows[some.events.rows]))
        models, settings = models_of(release), settings_of(release)
        friends = run.friends.by_rows(self.rows) if release.friends else NO_FRIENDS
        self.maker = ExampleMaker(models, events, run.words, run.repeat, settings, friends)

    def target(self, target: Target) -> Target:
        """Return a target with its place among the events that the release knows."""
        start = int(self._starts[target.user])
        place = int(self._before[start + target.place] - self._before[start])
        return replace(target, place=place)

    def knows(self, target: Target) -> bool:
        """Return whether the release knows the target's item."""
        return bool(self._known[int(self._starts[target.user]) + target.place])

    def lists(self, shown: Sequence[Shown]) -> list[Shown]:
        """Return lists by the release's rows; it must know all of their items."""
        return [
            replace(
                one,
                target=self.target(one.target),
                found=Found(self.rows[one.rows], one.found.scores, one.found.ranks),
            )
            for one in shown
        ]
