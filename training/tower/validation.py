"""How well a tower names what users took next."""

from collections.abc import Sequence

import numpy as np

from models.tower.serving import ServedTower
from training.evaluation.metrics import ndcg
from training.interactions import Interactions
from training.targets import Target
from training.tower.users import inputs_of, user_vectors

AT_ONCE = 256


class Validation:
    """Targets with all that precedes them, whether or not a tower was fitted on it."""

    def __init__(self, interactions: Interactions, targets: Sequence[Target], repeat: bool) -> None:
        self.interactions = interactions
        self.targets = [target for target in targets if target.place > 0]
        self.repeat = repeat

    def ndcg(self, served: ServedTower) -> float:
        """Return the mean NDCG@10 of the targets among the full catalogue."""
        places = []
        item_vectors_NW = served.item_vectors_NW.numpy()
        for start in range(0, len(self.targets), AT_ONCE):
            some = self.targets[start : start + AT_ONCE]
            inputs = []
            for target in some:
                events = self.interactions.of(target.user)
                time_ms = int(events.times_ms[target.place])
                offset = int(events.offsets_min[target.place])
                inputs.append(inputs_of(served, events[: target.place], time_ms, offset))
            scores = user_vectors(served, inputs) @ item_vectors_NW.T
            for target, own in zip(some, scores, strict=True):
                rows = self.interactions.of(target.user).rows
                if not self.repeat:
                    own[rows[: target.place]] = -np.inf
                places.append(int((own > own[rows[target.place]]).sum()))
        return float(ndcg(np.array(places), 10).mean()) if places else 0.0
