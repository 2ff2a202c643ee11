"""A user at one moment, digested once for all candidates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.cf import CfModel
from features.entities import ItemEntities
from features.events import EventArrays
from features.friends import NO_ITEMS, FriendsItems
from features.fusion import SourceWeights
from features.habits import Habits, habits_at
from features.heard import Heard
from features.history import mean_vector, recency, weights_of_actions
from features.item_table import ItemTable
from features.moment import Moment
from features.neighbours import Neighbours
from features.popularity import Popularity
from features.ratings import ItemRatings, RatedPast, rated_past
from features.rhythms import Rhythms
from features.senses import Senses
from features.tags import ItemTags
from features.tastes import Tastes
from features.tower import TowerSpace
from features.word_index import WordIndex

Float32 = npt.NDArray[np.float32]
NEAREST_AMONG = 20


@dataclass(frozen=True)
class ReleaseTables:
    """The arrays of a release that candidates and features are made from."""

    items: ItemTable
    cf: CfModel
    neighbours: Neighbours
    tower: TowerSpace
    ratings: ItemRatings
    rhythms: Rhythms
    popularity: Popularity
    word_index: WordIndex
    tags: ItemTags
    tastes: Tastes
    weights: SourceWeights
    senses: Senses
    entities: ItemEntities


@dataclass(frozen=True)
class UserView:
    """What features need of one user at one moment, computed once for all candidates.

    tower_vector: float32 [W], zeros where unknown. cf_factor: float32 [F], last_factor that of the
    last liked item alone. history_mean: float32 [D], zeros where unknown; media_mean: float32 [M],
    the same of media. heard: what the user's own words came to. recent_vectors: float32 [n, D],
    oldest first. rows: int32 [events], weights: float32 [events], what was done times how
    recently, times_ms: int64 [events]. liked_entities: float32 [E], how much the user likes each.
    friends_items: what friends used, by rows; for training's candidates alone, as the ranker reads
    the hits of it.
    """

    tower_vector: Float32
    cf_factor: Float32
    last_factor: Float32
    history_mean: Float32
    media_mean: Float32
    recent_vectors: Float32
    heard: Heard
    rows: npt.NDArray[np.int32]
    weights: Float32
    times_ms: npt.NDArray[np.int64]
    rated: RatedPast
    habits: Habits
    moment: Moment
    liked_entities: Float32
    friends_items: FriendsItems = NO_ITEMS


def view_user(
    tables: ReleaseTables,
    events: EventArrays,
    event_vectors: Float32,
    heard: Heard,
    tower_vector: Float32 | None,
    moment: Moment,
    event_media: Float32 | None = None,
) -> UserView:
    """Digest a user's events before a moment.

    event_vectors: float32 [events, D], the text vector of each event's item, zeros where unknown.
    heard: what the user's own words came to. tower_vector: float32 [W], what
    the user tower makes of the events at that moment, if it was asked. event_media: float32
    [events, M], the joined vectors of the items' media; by default the release's.
    """
    weights = weights_of_actions(events.actions) * recency(len(events))
    liked = weights > 0
    known = liked & (events.rows >= 0)
    last = events.rows[known][-1:]
    last_factor = (
        tables.cf.item_factors[last[0]] if len(last) else tables.cf.item_factors[:0].sum(0)
    )
    if event_media is None:
        event_media = tables.items.media.joined(events.rows)
    unknown = np.zeros(tables.tower.width, np.float32)
    return UserView(
        tower_vector=unknown if tower_vector is None else tower_vector,
        cf_factor=tables.cf.fold_in(events.rows, weights_of_actions(events.actions)),
        last_factor=_unit(last_factor),
        history_mean=mean_vector(event_vectors, weights),
        media_mean=tables.items.media.mean(event_media, weights),
        recent_vectors=event_vectors[liked][-NEAREST_AMONG:],
        heard=heard,
        rows=events.rows,
        weights=weights,
        times_ms=events.times_ms,
        rated=rated_past(tables.ratings, tables.cf.item_factors, events, event_vectors),
        habits=habits_at(moment, events, weights, event_vectors, tables.cf.item_factors),
        moment=moment,
        liked_entities=tables.entities.liked(events.rows, weights),
    )


def _unit(vector: Float32) -> Float32:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)
