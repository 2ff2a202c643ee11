"""The candidate sources of the retrieval service, computed exactly over a whole item table.

The service asks Milvus; here a matrix product finds the same items. The queries, depths and the
normalisation are the same, so that the ranker learns from what it will be served.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.candidates import SOURCES
from features.fusion import RRF_OFFSET
from features.habits import returns
from features.hits import standardise
from features.item_table import ItemTable
from features.nearby import near_rows, near_scores
from features.neighbours import best_rows
from features.tags import lifted_by_popularity
from features.user_view import ReleaseTables, UserView
from tandem.v1.candidate_pb2 import Source

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
Result = tuple[Int32, Float32]


@dataclass(frozen=True)
class Found:
    """The merged candidates of one request, best first by weighted reciprocal rank fusion.

    rows: int32 [C]. scores: float32 [C, sources] and ranks: int32 [C, sources], as `hit_features`
    takes them; float16 and int16 once `compact`.
    """

    rows: Int32
    scores: Float32 | npt.NDArray[np.float16]
    ranks: Int32 | npt.NDArray[np.int16]

    def compact(self) -> "Found":
        """Return the same in half the memory: thousands are kept."""
        return Found(self.rows, self.scores.astype(np.float16), self.ranks.astype(np.int16))


def find_candidates(
    tables: ReleaseTables,
    users: Sequence[UserView],
    said: Sequence[str],
    repeat: bool,
    depth: int,
    count: int,
) -> list[Found]:
    """Return the candidates of several requests, without seen items unless `repeat`.

    said: the words of each.
    """
    found = []
    for user, results in zip(users, ask_sources(tables, users, said, repeat, depth), strict=True):
        weights = [
            tables.weights.of(source, user.heard.weight, not len(user.rows)) for source in SOURCES
        ]
        found.append(merge(results, weights, len(tables.items), count))
    return found


def ask_sources(
    tables: ReleaseTables, users: Sequence[UserView], said: Sequence[str], repeat: bool, depth: int
) -> Iterator[list[Result]]:
    """Yield what each of SOURCES finds, rows and raw scores best first, for one user after another.

    Without seen items unless `repeat`.
    """
    vectors = tables.items.text_vectors
    means = np.stack([user.history_mean for user in users])
    words = np.stack([user.heard.vector * user.heard.weight for user in users])
    semantic = np.maximum(means @ vectors.T, words @ vectors.T)
    cf = np.stack([user.cf_factor for user in users]) @ tables.cf.item_factors.T
    tower = np.stack([user.tower_vector for user in users]) @ tables.tower.item_vectors.T
    media = _media(tables.items, users)
    for place, user in enumerate(users):
        scores = {
            Source.SOURCE_SEMANTIC: semantic[place],
            Source.SOURCE_CF: cf[place],
            Source.SOURCE_SIMILAR: tables.neighbours.scores_of_all(user.rows, user.weights),
            Source.SOURCE_SEQUENCE: tower[place],
            Source.SOURCE_POPULAR: _popular(tables, user),
            Source.SOURCE_HABIT: _habit(user, len(tables.items)),
            Source.SOURCE_NEARBY: _nearby(tables.items, user),
            Source.SOURCE_LEXICAL: tables.word_index.scores(said[place]),
            Source.SOURCE_TAGS: lifted_by_popularity(
                tables.tags.scores(user.heard.asked), tables.items.popularity
            ),
            Source.SOURCE_GRAPH: lifted_by_popularity(
                tables.entities.scores(user.liked_entities), tables.items.popularity
            ),
            Source.SOURCE_FRIENDS: _of_friends(user, len(tables.items)),
        }
        seen = user.rows[user.rows >= 0]
        alike = [space[place] for space in media]
        for values in () if repeat else alike:
            values[seen] = 0.0
        for source, values in scores.items():
            if not repeat or source in (Source.SOURCE_SIMILAR, Source.SOURCE_GRAPH):
                values[seen] = 0.0
        results = {source: best_rows(values, depth) for source, values in scores.items()}
        results[Source.SOURCE_MEDIA] = _greatest(alike, len(tables.items), depth)
        yield [results[source] for source in SOURCES]


def _popular(tables: ReleaseTables, user: UserView) -> Float32:
    scores = tables.popularity.at(user.moment, tables.items, tables.rhythms)
    return tables.items.recent_popularity.copy() if scores is None else scores


def _media(items: ItemTable, users: Sequence[UserView]) -> list[Float32]:
    """Return for each space the cosines of users' histories and items, float32 [users, items]."""
    means = np.stack([user.media_mean for user in users])
    # Made float32 once for all users: products of float16 are slow.
    return [
        means[:, part] @ items.media.spaces[name].astype(np.float32).T
        for name, part in items.media.parts.items()
    ]


def _greatest(spaces: Sequence[Float32], items: int, depth: int) -> Result:
    """Return the best by the greatest over spaces of the scores standardised in each [items]."""
    best = np.full(items, -np.inf, np.float32)
    for scores in spaces:
        rows, found = best_rows(scores, depth)
        best[rows] = np.maximum(best[rows], standardise(found))
    rows = np.flatnonzero(np.isfinite(best)).astype(np.int32)
    rows = rows[np.argsort(-best[rows], kind="stable")][:depth]
    return rows, best[rows]


def _habit(user: UserView, items: int) -> Float32:
    """Return what the habit source scores; only where people return to items will it be kept."""
    scores = np.zeros(items, np.float32)
    known = user.rows >= 0
    found = returns(user.rows, user.habits.weights, user.habits.alike)
    scores[user.rows[known]] = found[known]
    return scores


def _of_friends(user: UserView, items: int) -> Float32:
    scores = np.zeros(items, np.float32)
    scores[user.friends_items.items] = user.friends_items.weights
    return scores


def _nearby(items: ItemTable, user: UserView) -> Float32:
    scores = np.zeros(len(items), np.float32)
    if np.isfinite(user.moment.latitude):
        rows, km = near_rows(items.points, user.moment.point)
        scores[rows] = near_scores(km, items.popularity[rows])
    return scores


def merge(results: Sequence[Result], weights: Sequence[float], items: int, count: int) -> Found:
    """Merge the sources' rows and raw scores, each best first, into `count` candidates."""
    fused = np.zeros(items, dtype=np.float32)
    for (rows, _), weight in zip(results, weights, strict=True):
        fused[rows] += weight / (RRF_OFFSET + np.arange(1, len(rows) + 1))
    best, _ = best_rows(fused, count)
    scores_by_row = np.zeros((items, len(results)), dtype=np.float32)
    ranks_by_row = np.zeros((items, len(results)), dtype=np.int32)
    for place, (rows, raw) in enumerate(results):
        scores_by_row[rows, place] = standardise(raw)
        ranks_by_row[rows, place] = np.arange(1, len(rows) + 1)
    return Found(best, scores_by_row[best], ranks_by_row[best])
