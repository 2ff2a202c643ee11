"""What training gained: can the meaning of a user's history name the next item better?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.history import mean_vector, recency, weights_of_actions
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


def asked(
    places: npt.NDArray[np.int64], users: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return targets' places [users] for at most so many users, drawn at random."""
    some = places.copy()
    some[random.permutation(np.flatnonzero(places > NONE))[users:]] = NONE
    return some


@dataclass(frozen=True)
class Change:
    """A measure before and after with the difference, of `count` users or words, at least one."""

    count: int
    before: Metric
    after: Metric
    difference: Difference

    def as_json(self) -> dict[str, Any]:
        """Return the same for machines."""
        return {"before": self.before, "after": self.after, "difference": self.difference}

    def line(self, what: str) -> str:
        """Return in words what was measured."""
        return f"{what}: {_shown(self.before)} before, {_shown(self.after)} after"


def change_of(before: Values, after: Values) -> Change | None:
    """Compare values [n] before and after; None where there are none."""
    if not len(before):
        return None
    bootstrap = UserBootstrap(np.arange(len(before)))
    was, became = bootstrap.means(np.column_stack([before, after]))
    return Change(len(before), was, became, bootstrap.difference(after, before))


def recall_lines(recall: Change | None, which: str) -> list[str]:
    """Return what people are told of recall on some events, such as "validation"."""
    if recall is None:
        return [f"no user has a {which} event to look for: what it does for recall is not known"]
    what = f"recall@{CUT} by meaning, {which} events of {recall.count:,} users"
    return [recall.line(what), verdict(recall.difference)]


def verdict(difference: Difference) -> str:
    """Return in words whether recall rose, fell, or did neither for sure."""
    low, high = difference["ci95"]
    change = f"by {abs(difference['difference']):.4f}, 95 % interval {low:+.4f} to {high:+.4f}"
    if low > 0:
        return f"training raised recall {change}: this encoder is the better one here"
    if high < 0:
        return f"training LOWERED recall {change}: the encoder it began from is the better one"
    direction = "rose" if difference["difference"] > 0 else "fell"
    if difference["difference"] == 0:
        return "training changed recall by nothing: there is no reason to prefer this encoder"
    return f"recall {direction} {change}: no sure gain, so no reason to prefer this encoder"


def _shown(metric: Metric) -> str:
    low, high = metric["ci95"] or (float("nan"), float("nan"))
    return f"{metric['mean']:.4f} ({low:.4f} to {high:.4f})"
