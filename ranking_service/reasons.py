"""Facts that speak for an item, from what its features contributed to its logit."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np

from features.candidates import WORD_FEATURES
from features.history import recency, weights_of_actions
from ranking_service.item_features import RankInput
from ranking_service.loaded_release import LoadedRelease
from ranking_service.looked_up import Float32
from ranking_service.shared_entities import SharedEntities
from tandem.v1.candidate_pb2 import Influence, Reason, ReasonKind, Source
from tandem.v1.ranking_service_pb2 import RankRequest

# The features that stand for each kind of reason.
EVIDENCE: dict[ReasonKind.ValueType, tuple[str, ...]] = {
    ReasonKind.REASON_KIND_LIKE_HISTORY_ITEM: (
        "text_like_history",
        "text_like_last",
        "text_like_nearest",
    ),
    ReasonKind.REASON_KIND_SIMILAR_USERS: (
        "cf_score",
        "cf_rank",
        "similar_score",
        "similar_rank",
        "sequence_score",
        "sequence_rank",
        "tower_affinity",
        "cf_affinity",
        "cf_like_last",
        "neighbour_affinity",
    ),
    ReasonKind.REASON_KIND_MATCHES_WORDS: (*WORD_FEATURES, "popular_with_taste"),
    ReasonKind.REASON_KIND_POPULAR: (
        "popular_score",
        "popular_rank",
        "popularity",
        "recent_popularity",
        "popular_with_taste",
    ),
    ReasonKind.REASON_KIND_HABIT: (
        "habit_score",
        "habit_rank",
        "times_used",
        "last_used",
        "used_lately",
        "used_after_last",
        "used_at_hour",
    ),
    ReasonKind.REASON_KIND_NEARBY: ("nearby_score", "nearby_rank", "near_now"),
    ReasonKind.REASON_KIND_TIME_OF_DAY: ("hour_lift", "text_like_hour", "cf_like_hour"),
    ReasonKind.REASON_KIND_SHARED_ENTITY: ("graph_score", "graph_rank", "graph_affinity"),
    ReasonKind.REASON_KIND_FRIENDS: ("friends_score", "friends_rank"),
}
# A reason is given only for an item that one of these sources found; weight alone is no fact.
FOUND_BY: dict[ReasonKind.ValueType, set[Source.ValueType]] = {
    ReasonKind.REASON_KIND_SIMILAR_USERS: {
        Source.SOURCE_CF,
        Source.SOURCE_SIMILAR,
        Source.SOURCE_SEQUENCE,
    },
    ReasonKind.REASON_KIND_MATCHES_WORDS: {
        Source.SOURCE_SEMANTIC,
        Source.SOURCE_LEXICAL,
        Source.SOURCE_TAGS,
    },
    ReasonKind.REASON_KIND_POPULAR: {Source.SOURCE_POPULAR},
    ReasonKind.REASON_KIND_LIKE_SEED_ITEM: {Source.SOURCE_SIMILAR},
    ReasonKind.REASON_KIND_HABIT: {Source.SOURCE_HABIT},
    ReasonKind.REASON_KIND_NEARBY: {Source.SOURCE_NEARBY},
    ReasonKind.REASON_KIND_FRIENDS: {Source.SOURCE_FRIENDS},
}
LIKE_HISTORY_ITEM = ReasonKind.REASON_KIND_LIKE_HISTORY_ITEM
LIKE_SEED_ITEM = ReasonKind.REASON_KIND_LIKE_SEED_ITEM
SHARED_ENTITY = ReasonKind.REASON_KIND_SHARED_ENTITY
MATCHES_WORDS = ReasonKind.REASON_KIND_MATCHES_WORDS
TIME_OF_DAY = ReasonKind.REASON_KIND_TIME_OF_DAY
SIMILAR_USERS = ReasonKind.REASON_KIND_SIMILAR_USERS
LIKE_LEAST = 0.2
MOST = 3
MATCHED_MOST = 5


@lru_cache
def evidence_of(features: tuple[str, ...]) -> Float32:
    """Return which features stand for each kind, float32 [kinds, features], in EVIDENCE's order."""
    return np.array([[name in own for name in features] for own in EVIDENCE.values()], np.float32)


class ReasonFinder:
    """Finds reasons for the items of one request."""

    def __init__(self, loaded: LoadedRelease, request: RankRequest, found: RankInput) -> None:
        self._tables = loaded.tables
        self._request = request
        self._found = found
        self._changed = {
            override.item.item_id: override.item for override in request.item_overrides
        }
        self._evidence = evidence_of(tuple(loaded.ranker.config.features))
        self._weights = weights_of_actions(found.events.actions)
        self._liked = np.flatnonzero(self._weights > 0)
        self._has_words = request.HasField("text_vector") or bool(request.interest_tags)

    @cached_property
    def _liked_vectors(self) -> Float32:
        return self._found.event_vectors[self._liked]

    @cached_property
    def _shared(self) -> SharedEntities:
        weights = self._weights * recency(len(self._weights))
        ids = [event.item_id for event in self._request.user.history]
        return SharedEntities(self._tables.entities, self._found.events.rows, weights, ids)

    def reasons(
        self, place: int, parts: Float32, influences: Sequence[Influence] | None
    ) -> list[Reason]:
        """Return up to MOST reasons, weightiest first.

        parts: float32 [features]. influences: of items of the history, None where that is unknown:
        then the liked item whose text is nearest stands for them.
        """
        weights = dict(zip(EVIDENCE, (self._evidence @ parts).tolist(), strict=True))
        if influences is not None:
            weights[LIKE_HISTORY_ITEM] = influences[0].logit if influences else 0.0
        seed = self._request.context.seed_item_id
        if seed and self._was_found(LIKE_SEED_ITEM, place):
            weights[LIKE_SEED_ITEM] = 1.0
        found: list[Reason] = []
        # Weightiest first, so that what is not told is not looked for.
        for kind, weight in sorted(weights.items(), key=lambda each: -each[1]):
            if weight <= 0 or len(found) == MOST:
                break
            if kind == LIKE_SEED_ITEM:
                found.append(Reason(kind=kind, item_id=seed, weight=weight))
            elif kind == LIKE_HISTORY_ITEM and influences:
                found.append(Reason(kind=kind, item_id=influences[0].item_id, weight=weight))
            elif reason := self._reason(kind, place, weight):
                found.append(reason)
        return found or self._how_it_was_found(place)

    def _reason(self, kind: ReasonKind.ValueType, place: int, weight: float) -> Reason | None:
        if kind == LIKE_HISTORY_ITEM:
            nearest = self._nearest_liked(place)
            return Reason(kind=kind, item_id=nearest, weight=weight) if nearest else None
        if kind == SHARED_ENTITY:
            item_id = self._found.candidates[place].item_id
            row, new = self._tables.items.row(item_id), self._changed.get(item_id)
            return self._shared.reason(item_id, row, new, weight)
        if kind == MATCHES_WORDS:
            if not self._has_words or not self._was_found(kind, place):
                return None
            return Reason(kind=kind, weight=weight, matched_tags=self._matched(place))
        if kind == TIME_OF_DAY:
            return Reason(kind=kind, weight=weight) if weight > 0 else None
        if kind == SIMILAR_USERS and not len(self._liked):
            return None
        return Reason(kind=kind, weight=weight) if self._was_found(kind, place) else None

    def _how_it_was_found(self, place: int) -> list[Reason]:
        """Return a reason of weight 0: nothing speaks for the item but that a source found it."""
        every = (self._reason(kind, place, 0.0) for kind in EVIDENCE)
        first = next((reason for reason in every if reason), None)
        return [first] if first else []

    def _matched(self, place: int) -> list[str]:
        """Return what an item has of what the words were understood as, surest first."""
        asked = sorted(self._request.interest_tags, key=lambda tag: -tag.confidence)
        wanted = [tag.tag for tag in asked if tag.confidence > 0]
        item_id = self._found.candidates[place].item_id
        if (item := self._changed.get(item_id)) is not None:
            own = {name.casefold() for name in (*item.categories, *item.tags)}
            return [name for name in wanted if name.casefold() in own][:MATCHED_MOST]
        row = self._tables.items.row(item_id)
        return [name for name in wanted if self._tables.tags.has(name, row)][:MATCHED_MOST]

    def _was_found(self, kind: ReasonKind.ValueType, place: int) -> bool:
        finders = FOUND_BY[kind]
        return any(hit.source in finders for hit in self._found.candidates[place].hits)

    def _nearest_liked(self, place: int) -> str:
        """Return the liked item whose text is most like the candidate's, "" if none is."""
        if not len(self._liked):
            return ""
        likeness = self._liked_vectors @ self._found.vectors[place]
        best = int(likeness.argmax())
        if likeness[best] < LIKE_LEAST:
            return ""
        return self._request.user.history[int(self._liked[best])].item_id
