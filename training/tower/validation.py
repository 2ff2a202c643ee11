"""How well a tower names what users took next."""

from collections.abc import Sequence

import numpy as np

from features.moment import moment_after
from features.tower import TowerInput
from models.tower.serving import ServedTower
from training.evaluation.metrics import ndcg
from training.interactions import Interactions
from training.targets import Target, Targets
from training.tower.users import inputs_of, user_vectors

# Scores of so many items are held at once.
SCORES = 2**24
TARGETS_MOST = 3_000


def unseen_targets(targets: Targets, seed: int) -> list[Target]:
    """Return targets that a tower fitted before the ranker's window has not seen, each once.

    Those of the window are many more than the ranker's own validation has: by a few hundred alone
    the best epoch would be found by chance.
    """
    known = [t for t in (*targets.validate, *targets.learn) if not t.forget]
    once = list({(target.user, target.place): target for target in known}.values())
    drawn = np.random.default_rng(seed).permutation(len(once))[:TARGETS_MOST]
    return [once[place] for place in np.sort(drawn)]


class Validation:
    """Targets with all that precedes them, whether or not a tower was fitted on it.

    For the epochs of one tower: what it reads of the targets is made once.
    """

    def __init__(self, interactions: Interactions, targets: Sequence[Target], repeat: bool) -> None:
        self.interactions = interactions
        self.targets = [target for target in targets if target.place > 0]
        self.repeat = repeat
        self._inputs: list[TowerInput] = []

    def ndcg(self, served: ServedTower) -> float:
        """Return the mean NDCG@10 of the targets among the full catalogue."""
        # They are the same after each epoch.
        self._inputs = self._inputs or [self._input(served, target) for target in self.targets]
        places = []
        item_vectors_NW = served.item_vectors_NW.numpy()
        at_once = max(1, min(256, SCORES // len(item_vectors_NW)))
        for start in range(0, len(self.targets), at_once):
            some = self.targets[start : start + at_once]
            inputs = self._inputs[start : start + at_once]
            scores = user_vectors(served, inputs) @ item_vectors_NW.T
            for target, own in zip(some, scores, strict=True):
                rows = self.interactions.of(target.user).rows
                if not self.repeat:
                    own[rows[: target.place]] = -np.inf
                places.append(int((own > own[rows[target.place]]).sum()))
        return float(ndcg(np.array(places), 10).mean()) if places else 0.0

    def _input(self, served: ServedTower, target: Target) -> TowerInput:
        events, at = self.interactions.of(target.user), target.place
        moment = moment_after(events[:at], int(events.times_ms[at]), int(events.offsets_min[at]))
        return inputs_of(served, events[:at], moment)
