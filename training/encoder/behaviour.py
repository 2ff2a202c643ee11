"""What users did before each thing that they took next, as texts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.history import recency, weights_of_actions
from training.encoder.catalogue import NO_TEXT, Catalogue
from training.split import NONE, targets_of

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
# Events of a history that are read: recency gives those before them a tenth of the newest's weight.
EVENTS = 100
# Between every user alike (0) and every event alike (1): people of thousands of events would
# otherwise be all that is learned from.
USER_EXPONENT = 0.5


@dataclass(frozen=True)
class Moments:
    """P moments at which somebody took something.

    texts_E, weights_E: int64 and float32, the events before each moment, oldest first, and how much
    each speaks for its text; starts_P: int64, where each moment's events begin. targets_P: int64,
    the text that was taken. taken_PT: bool [P, texts], sparse, all that the user is known to have
    taken.
    """

    texts_E: Int64
    weights_E: Float32
    starts_P: Int64
    targets_P: Int64
    taken_PT: sparse.csr_matrix


@dataclass(frozen=True)
class Behaviour:
    """What is learned from, and the events by which the best encoder is chosen.

    texts, weights: for each user int64 and float32 [events], those of their events that are learned
    from. targets: for each user int64 places in them, of what was taken with something before it.
    chosen_by: int64 [users], the place of the target after those events, NONE where there is none.
    """

    texts: list[Int64]
    weights: list[Float32]
    targets: list[Int64]
    chosen_by: Int64
    taken: sparse.csr_matrix
    share: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """How many moments there are to learn from."""
        return sum(len(places) for places in self.targets)

    def chances(self, count: int) -> Float32:
        """Return how probably each text is a target of `count` moments, float32 [texts]."""
        each = np.zeros(self.taken.shape[1])
        for texts, places, share in zip(self.texts, self.targets, self.share, strict=True):
            if len(places):
                np.add.at(each, texts[places], share / len(places))
        return np.asarray(-np.expm1(count * np.log1p(-each.clip(max=0.999))), np.float32)

    def draw(self, count: int, random: np.random.Generator) -> Moments:
        """Return so many moments, drawn by user, then evenly among the user's own."""
        users = random.choice(len(self.share), size=count, p=self.share)
        places = [int(random.choice(self.targets[user])) for user in users.tolist()]
        spans = [
            (int(user), slice(max(0, place - EVENTS), place))
            for user, place in zip(users, places, strict=True)
        ]
        weights = [self.weights[user][span] for user, span in spans]
        return Moments(
            np.concatenate([self.texts[user][span] for user, span in spans]),
            np.concatenate([of_actions * recency(len(of_actions)) for of_actions in weights]),
            np.concatenate([[0], np.cumsum([len(some) for some in weights])[:-1]]),
            np.array([self.texts[u][place] for u, place in zip(users, places, strict=True)]),
            self.taken[users],
        )


def behaviour_of(catalogue: Catalogue, valid: Int64) -> Behaviour:
    """Return what users did before the target before their validation event.

    valid: int64 [users], the places of those events, NONE where there is none: such users teach
    nothing. Dislikes and items without a text say nothing of a user here.
    """
    known, repeat = catalogue.known, catalogue.dataset.repeat
    chosen_by = np.full(known.users, NONE)
    texts: list[Int64] = []
    weights: list[Float32] = []
    targets: list[Int64] = []
    for user in range(known.users):
        events = known.of(user)
        places = targets_of(events, repeat)
        places = places[places < valid[user]]
        if len(places):
            chosen_by[user] = places[-1]
        events = events[: int(places[-1]) if len(places) else 0]
        said = catalogue.text_of_item[events.rows]
        speaks = np.where(said == NO_TEXT, 0.0, np.maximum(weights_of_actions(events.actions), 0.0))
        before = np.cumsum(speaks) - speaks
        texts.append(np.maximum(said, 0))
        weights.append(speaks.astype(np.float32))
        targets.append(np.array([p for p in places[:-1] if speaks[p] > 0 and before[p] > 0], int))
    share = np.array([len(places) for places in targets], np.float64) ** USER_EXPONENT
    share[[len(places) == 0 for places in targets]] = 0.0
    counts = [len(some) for some in texts]
    taken = sparse.csr_matrix(
        (
            np.concatenate(weights) > 0,
            (np.repeat(np.arange(known.users), counts), np.concatenate(texts)),
        ),
        shape=(known.users, len(catalogue.texts)),
    )
    return Behaviour(texts, weights, targets, chosen_by, taken, share / max(share.sum(), 1e-12))
