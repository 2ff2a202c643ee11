"""What pre-training gained: can the meaning of a user's history name the next item better?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.history import mean_vector, recency, weights_of_actions
from training.encoder.pretraining import Losses
from training.evaluation.intervals import Difference, Metric, UserBootstrap
from training.evaluation.metrics import hit
from training.interactions import Interactions

Float32 = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
CUT = 200
AT_ONCE = 128
NONE = -1


def found_by_meaning(
    known: Interactions, places: npt.NDArray[np.int64], vectors: Float32, repeat: bool
) -> Values:
    """Return for each user 1 where the meaning-based source finds the target in its first 200.

    It is what the retrieval service does: the recency-weighted mean of the vectors [items, D] of
    the events before the target asks for the nearest items by cosine. places: int64 [users], the
    target's place in each user's events, NONE where it has none; those users are left out. An
    item without a text, a vector of zeros, is found by nobody.
    """
    users = np.flatnonzero(places > NONE)
    hits: list[Values] = []
    for start in range(0, len(users), AT_ONCE):
        some = users[start : start + AT_ONCE]
        scores = np.stack([_mean(known, int(u), int(places[u]), vectors) for u in some]) @ vectors.T
        targets = np.array([known.of(int(u)).rows[places[u]] for u in some])
        if not repeat:
            for row, user in enumerate(some.tolist()):
                scores[row, known.of(user).rows[: places[user]]] = -np.inf
        own = scores[np.arange(len(some)), targets]
        better = (scores > own[:, None]).sum(axis=1)
        hits.append(np.where(own > 0, hit(better, CUT), 0.0))
    return np.concatenate(hits) if hits else np.zeros(0)


def _mean(known: Interactions, user: int, place: int, vectors: Float32) -> Float32:
    events = known.of(user)[:place]
    weights = weights_of_actions(events.actions) * recency(len(events))
    return mean_vector(vectors[events.rows], weights)


@dataclass(frozen=True)
class Gain:
    """Losses, and recall@200 before and after with the difference; None without users to ask."""

    losses: Losses
    users: int
    before: Metric | None
    after: Metric | None
    difference: Difference | None

    def lines(self) -> list[str]:
        """Return what people are told."""
        losses = self.losses
        said = [
            f"held-out masked-LM loss: {losses.before:.3f} before, {losses.after:.3f} after "
            f"{losses.steps:,} steps ({losses.untouched:.3f} with a head that knows nothing)"
        ]
        if self.before is None or self.after is None or self.difference is None:
            return [*said, "no user has an event to look for: what it does for recall is not known"]
        said.append(
            f"recall@{CUT} by meaning, validation events of {self.users:,} users: "
            f"{_shown(self.before)} before, {_shown(self.after)} after"
        )
        return [*said, verdict(self.difference)]

    def as_json(self) -> dict[str, Any]:
        """Return the same for machines."""
        losses = self.losses
        return {
            "held_out_loss": {
                "untouched": losses.untouched,
                "before": losses.before,
                "after": losses.after,
            },
            "steps": losses.steps,
            "users": self.users,
            f"recall@{CUT}": {
                "before": self.before,
                "after": self.after,
                "difference": self.difference,
            },
        }


def gain_of(losses: Losses, before: Values, after: Values) -> Gain:
    """Compare hits [users] before and after."""
    if not len(before):
        return Gain(losses, 0, None, None, None)
    bootstrap = UserBootstrap(np.arange(len(before)))
    was, became = bootstrap.means(np.column_stack([before, after]))
    return Gain(losses, len(before), was, became, bootstrap.difference(after, before))


def verdict(difference: Difference) -> str:
    """Return in words whether recall rose, fell, or did neither for sure."""
    low, high = difference["ci95"]
    change = f"by {abs(difference['difference']):.4f}, 95 % interval {low:+.4f} to {high:+.4f}"
    if low > 0:
        return f"pre-training raised recall {change}: this encoder is the better one here"
    if high < 0:
        return f"pre-training LOWERED recall {change}: the encoder it began from is the better one"
    direction = "rose" if difference["difference"] > 0 else "fell"
    if difference["difference"] == 0:
        return "pre-training changed recall by nothing: there is no reason to prefer this encoder"
    return f"recall {direction} {change}: no sure gain, so no reason to prefer this encoder"


def _shown(metric: Metric) -> str:
    low, high = metric["ci95"] or (float("nan"), float("nan"))
    return f"{metric['mean']:.4f} ({low:.4f} to {high:.4f})"
