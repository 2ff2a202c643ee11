"""What the ranker knows of a candidate besides its item: one number per named feature.

Each feature is on a scale that does not depend on the request's other candidates, survives a refit
of collaborative filtering in another basis, and is 0 where nothing is known.
"""

import numpy as np
import numpy.typing as npt

from features.candidate_items import CandidateItems
from features.events import log_hours
from features.fusion import source_name
from features.heard import Heard
from features.time_and_place import (
    PLACE_FEATURES,
    RETURN_FEATURES,
    TIME_FEATURES,
    place_features,
    return_features,
    time_features,
)
from features.user_view import ReleaseTables, UserView
from tandem.v1.candidate_pb2 import Source

Float32 = npt.NDArray[np.float32]

# The sources whose hits the ranker reads. A source more is a line more, and a new release.
SOURCES: tuple[Source.ValueType, ...] = (
    Source.SOURCE_SEMANTIC,
    Source.SOURCE_CF,
    Source.SOURCE_SIMILAR,
    Source.SOURCE_POPULAR,
    Source.SOURCE_SEQUENCE,
    Source.SOURCE_HABIT,
    Source.SOURCE_NEARBY,
    Source.SOURCE_LEXICAL,
    Source.SOURCE_TAGS,
    Source.SOURCE_GRAPH,
    Source.SOURCE_MEDIA,
    Source.SOURCE_FRIENDS,
)
HIT_FEATURES = [f"{source_name(source)}_{part}" for source in SOURCES for part in ("score", "rank")]
OWN_FEATURES = [
    "tower_affinity",
    "cf_affinity",
    "cf_like_last",
    "neighbour_affinity",
    "neighbour_of_last",
    "text_like_history",
    "text_like_last",
    "text_like_nearest",
    "text_like_words",
    "tags_like_words",
    "popular_with_taste",
    "popularity",
    "recent_popularity",
    "item_age",
    "times_used",
    "last_used",
    "item_quality",
    "user_mood",
    "rated_like_cf",
    "rated_like_text",
    "media_like_history",
    *TIME_FEATURES,
    *RETURN_FEATURES,
    *PLACE_FEATURES,
    "graph_affinity",
]
FEATURES = HIT_FEATURES + OWN_FEATURES
# Models that were fitted on an event remember it. Of an item that no source was asked about, as
# when only a judgement of it is wanted, these features are withheld, in training and in serving.
SOURCE_BOUND = ["tower_affinity", "neighbour_affinity", "neighbour_of_last"]
_BOUND = np.array([name in HIT_FEATURES or name in SOURCE_BOUND for name in FEATURES])
# What words alone bring about: it counts as much as they do.
WORD_SOURCES = (Source.SOURCE_LEXICAL, Source.SOURCE_TAGS)
WORD_FEATURES = [
    *(f"{source_name(source)}_{part}" for source in WORD_SOURCES for part in ("score", "rank")),
    "text_like_words",
    "tags_like_words",
]
_OF_WORDS = np.array([source in WORD_SOURCES for source in SOURCES])
# Ranks beyond this count as no better than not being found.
RANK_HORIZON = 1000.0


def own_features(tables: ReleaseTables, user: UserView, items: CandidateItems) -> Float32:
    """Return OWN_FEATURES of candidates, float32 [n, len(OWN_FEATURES)].

    Of items that the release does not hold, what rests on their past is 0.
    """
    rows, vectors = items.rows, items.vectors
    known = rows >= 0
    at = np.where(known, rows, 0)
    factors = tables.cf.item_factors[at] * known[:, None]
    directions = factors / np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    same = user.rows[None, :] == np.where(known, rows, -2)[:, None]
    # Most candidates are of items that the user never used, and most events of other items.
    events = np.flatnonzero(same.any(axis=0))
    used = same[:, events].astype(np.float32)
    last_ms = np.where(used > 0, user.times_ms[events], 0).max(axis=1, initial=0)
    created = np.where(known, tables.items.create_time_ms[at], -1)
    like_recent = vectors @ user.recent_vectors.T
    some = like_recent.shape[1] > 0
    zeros = np.zeros(len(rows), np.float32)
    now_ms = user.moment.time_ms
    general = [
        tables.tower.standing(user.tower_vector, rows, items.contents),
        factors @ user.cf_factor,
        directions @ user.last_factor,
        *tables.neighbours.scores_of(user.rows, user.weights, rows),
        vectors @ user.history_mean,
        like_recent[:, -1] if some else zeros,
        like_recent.max(axis=1) if some else zeros,
        vectors @ user.heard.vector * user.heard.weight,
        items.tag_scores,
        items.tastes,
        _share_of_log(tables.items.most, np.where(known, tables.items.popularity[at], 0.0)),
        _share_of_log(
            tables.items.most_recent,
            np.where(known, tables.items.recent_popularity[at], 0.0) + items.live,
        ),
        np.where(created >= 0, 1.0 - log_hours(now_ms - created), 0.0),
        np.log1p(used.sum(axis=1)),
        np.where(used.any(axis=1), 1.0 - log_hours(now_ms - last_ms), 0.0),
        np.where(known, tables.ratings.quality[at], 0.0),
        np.full(len(rows), user.rated.mood),
        user.rated.of_alike(user.rated.factors, directions),
        user.rated.of_alike(user.rated.vectors, vectors),
        tables.items.media.likeness(items.media, user.media_mean),
    ]
    return np.column_stack(
        [
            *general,
            time_features(tables, user, items, directions, used @ user.habits.alike[events]),
            return_features(user, rows, used @ user.habits.weights[events]),
            place_features(user, items),
            _graph_affinity(tables, user, items),
        ]
    ).astype(np.float32)


def _graph_affinity(tables: ReleaseTables, user: UserView, items: CandidateItems) -> Float32:
    """Return how much each has of what liked items are linked with, float32 [n]."""
    known = items.rows >= 0
    scores = np.zeros(len(items), np.float32)
    if user.liked_entities.any():
        scores[known] = tables.entities.scores_of(user.liked_entities, items.rows[known])
        for at, item in items.new.items():
            scores[at] = tables.entities.score_of(user.liked_entities, item)
    return scores


def without_sources(features_CF: Float32) -> Float32:
    """Return features [candidates, features] as those of items that no source was asked about."""
    return np.where(_BOUND, 0.0, features_CF).astype(np.float32)


def hit_features(
    scores_CS: npt.NDArray[np.floating], ranks_CS: npt.NDArray[np.integer], heard: Heard
) -> Float32:
    """Return HIT_FEATURES, float32 [candidates, 2 * sources].

    scores_CS: standardised scores by candidate and source, 0 where the source did not find it.
    ranks_CS: ranks from 1, 0 where the source did not find it. Hits of words count as they do.
    """
    found = ranks_CS > 0
    closeness = 1.0 - np.log(np.maximum(ranks_CS, 1)) / np.log(RANK_HORIZON)
    parts = np.stack([np.where(found, scores_CS, 0.0), np.where(found, closeness, 0.0)], axis=-1)
    parts = parts * np.where(_OF_WORDS, heard.weight, 1.0)[:, None]
    return parts.reshape(len(scores_CS), 2 * scores_CS.shape[1]).astype(np.float32)


def _share_of_log(most: float, own: Float32) -> Float32:
    """Return log counts [n] as a share of the greatest, from 0 to 1; most: of the release."""
    top = max(most, float(own.max(initial=0.0)))
    return np.asarray(np.log1p(own) / max(float(np.log1p(top)), 1e-9), dtype=np.float32)
