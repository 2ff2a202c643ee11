"""What the sources need of one request, computed once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.events import EventArrays
from features.history import mean_vector
from features.moment import Moment
from features.words import Said
from retrieval_service.release import LoadedRelease
from serving.stages import Deadline
from tandem.v1.item_fate_pb2 import FATE_UNSPECIFIED, Fate

Float32 = npt.NDArray[np.float32]
Scored = list[tuple[str, float]]
# (space, vectors [Q, D], limit) -> for each vector ids and scores, best first.
Search = Callable[[str, Float32, int], Awaitable[list[Scored]]]


@dataclass(frozen=True)
class Query:
    """One request.

    moment: when and where. events: the history, oldest first; item_ids: its items. weights:
    float32 [events], what was done times how recently; action_weights: float32 [events], what was
    done. vectors_ED: float32 [events, D], the items' present text vectors, zeros where unknown;
    media_EM: float32 [events, M], the joined vectors of their media.
    said: what the user says; text_weight: how much the caller wants it to count. live_counts: how
    often items were used since the release learned, of those that were. friends_items: by item how
    much friends used it. seed_item_id: ""
    for none; seed_vector: float32 [D]; seed_media: float32 [M]. depth: how many
    candidates each source gives. over_fetch: how many more to search for, as they may be seen or
    excluded. fate: why an item may be no candidate, UNSPECIFIED for one that may.
    """

    loaded: LoadedRelease
    moment: Moment
    item_ids: list[str]
    events: EventArrays
    weights: Float32
    action_weights: Float32
    vectors_ED: Float32  # noqa: N815
    media_EM: Float32  # noqa: N815
    said: Said
    text_weight: float
    live_counts: Mapping[str, float]
    friends_items: Mapping[str, float]
    seed_item_id: str
    seed_vector: Float32 | None
    seed_media: Float32
    depth: int
    over_fetch: int
    fate: Callable[[str], Fate.ValueType]
    search: Search
    deadline: Deadline

    def allowed(self, item_id: str) -> bool:
        """Return whether an item may be a candidate."""
        return self.fate(item_id) == FATE_UNSPECIFIED

    @property
    def rows(self) -> npt.NDArray[np.int32]:
        """The history's rows in the release, int32 [events], -1 unknown."""
        return self.events.rows

    @property
    def words_weight(self) -> float:
        """How much the user's words count, 0 without any."""
        return self.said.weight * self.text_weight if self.said.text else 0.0

    def history_mean(self) -> Float32:
        """Return the recency-weighted mean of liked items' text vectors, float32 [D], or zeros."""
        return mean_vector(self.vectors_ED, self.weights)
