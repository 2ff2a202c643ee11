"""A request as the arrays that the ranker reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.candidate_items import CandidateItems
from features.candidates import (
    SOURCES,
    hit_features,
    own_features,
    without_sources,
)
from features.context import context_features
from features.events import EventArrays, event_arrays
from features.heard import Heard, silence
from features.item_table import beside
from features.item_text import item_text
from features.moment import moment_of
from features.user_view import view_user
from features.words import Said, request_words
from models.ranker.packed_user import PackedCandidates, PackedUser
from ranking_service.loaded_release import LoadedRelease
from tandem.v1.candidate_pb2 import Candidate
from tandem.v1.common_pb2 import Vector
from tandem.v1.item_pb2 import Item
from tandem.v1.ranking_service_pb2 import RankRequest

Float32 = npt.NDArray[np.float32]
SOURCE_PLACE = {source: place for place, source in enumerate(SOURCES)}


@dataclass(frozen=True)
class RankInput:
    """What is scored, and what reasons are found in.

    candidates: those that can be scored, in the order of `packed`. unscored: ids of the others.
    events: the user's whole history. vectors: float32 [C, D], of the candidates' texts, and
    event_vectors: float32 [events, D], of the history's.
    """

    packed: PackedUser
    candidates: list[Candidate]
    unscored: list[str]
    events: EventArrays
    vectors: Float32
    event_vectors: Float32


def rank_input(loaded: LoadedRelease, request: RankRequest) -> RankInput:
    """Look up every item, compute features and pack them."""
    items, config = loaded.tables.items, loaded.ranker.config
    overrides = {o.item.item_id: array_of(o.text_vector) for o in request.item_overrides}
    changed = {override.item.item_id: override.item for override in request.item_overrides}
    candidates, unscored = [], []
    for candidate in request.candidates:
        known = items.row(candidate.item_id) >= 0 or candidate.item_id in overrides
        if known:
            candidates.append(candidate)
        else:
            unscored.append(candidate.item_id)

    rows = items.rows(candidate.item_id for candidate in candidates)
    vectors = text_vectors(loaded, rows, [c.item_id for c in candidates], overrides)
    history = request.user.history
    senses = loaded.tables.senses
    events = senses.of_events(event_arrays(history, items))
    event_vectors = text_vectors(loaded, events.rows, [e.item_id for e in history], overrides)
    media = media_vectors(loaded, rows, [c.item_id for c in candidates], changed)
    event_media = media_vectors(loaded, events.rows, [e.item_id for e in history], changed)
    moment = senses.of_moment(moment_of(request.context, events))
    said = request_words(request.text, request.user.profile, history)
    asked = loaded.tables.tags.asked(request.interest_tags)
    heard = hear(loaded, request, said, asked)
    tower = array_of(request.user_vector) if request.HasField("user_vector") else None
    user = view_user(loaded.tables, events, event_vectors, heard, tower, moment, event_media)
    context = context_features(events, moment, heard.weight)
    recent = slice(-config.max_history, None)
    scores, ranks = hit_arrays(candidates)
    named = tag_scores(loaded, rows, candidates, changed, asked, heard)
    liked = np.where(rows >= 0, heard.tastes[np.maximum(rows, 0)], 0.0).astype(np.float32)
    counts = {count.item_id: count.count for count in request.live_counts}
    live = np.array([counts.get(candidate.item_id, 0.0) for candidate in candidates], np.float32)
    new = {at: changed[c.item_id] for at, c in enumerate(candidates) if rows[at] < 0}
    described = CandidateItems(
        rows, vectors, media, *places(loaded, rows, candidates, changed), named, liked, live, new
    )
    features = np.concatenate(
        [hit_features(scores, ranks, heard), own_features(loaded.tables, user, described)], axis=1
    )
    found = (ranks > 0).any(axis=1, keepdims=True)
    packed = PackedUser(
        text_ids=loaded.tokenizer.ids(said.text),
        events=events[recent],
        event_vectors=beside(event_vectors, event_media)[recent],
        candidates=PackedCandidates(
            rows=items.id_rows(rows),
            vectors=described.contents,
            features=np.where(found, features, without_sources(features)),
            texts=text_tokens(loaded, rows, candidates, changed),
            context=np.broadcast_to(context, (len(candidates), len(context))),
            visible=np.full(len(candidates), len(events[recent])),
        ),
        obeyed=said.asked,
    )
    return RankInput(packed, candidates, unscored, events, vectors, event_vectors)


def hear(loaded: LoadedRelease, request: RankRequest, said: Said, asked: Float32) -> Heard:
    """Return what a request's words come to; without a vector, what their tags do."""
    tables = loaded.tables
    width = tables.items.text_vectors.shape[1]
    if not said.text:
        return silence(width, tables.tastes)
    vector = np.zeros(width, np.float32)
    if request.HasField("text_vector"):
        vector = array_of(request.text_vector)
    return Heard(vector, said.weight, tables.tags.scores(asked), tables.tastes.popularity(asked))


def tag_scores(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    candidates: list[Candidate],
    changed: Mapping[str, Item],
    asked: Float32,
    heard: Heard,
) -> Float32:
    """Return how much of the tags asked for each has [n]: by an override, else by the release."""
    scores = np.where(rows >= 0, heard.tag_scores[np.maximum(rows, 0)], 0.0).astype(np.float32)
    for at, candidate in enumerate(candidates if changed and asked.any() else []):
        if (item := changed.get(candidate.item_id)) is not None:
            names = (*item.categories, *item.tags)
            scores[at] = loaded.tables.tags.score_of(asked, names)
    return scores


def text_vectors(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    item_ids: list[str],
    overrides: dict[str, Float32],
) -> Float32:
    """Return text vectors [n, D]: an override's, else the release's, else zeros."""
    table = loaded.tables.items.text_vectors
    vectors = np.zeros((len(rows), table.shape[1]), np.float32)
    vectors[rows >= 0] = table[rows[rows >= 0]]
    for place, item_id in enumerate(item_ids if overrides else []):
        if item_id in overrides:
            vectors[place] = overrides[item_id]
    return vectors


def media_vectors(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    item_ids: list[str],
    changed: Mapping[str, Item],
) -> Float32:
    """Return joined vectors of media [n, M]: by space an override's, else the release's."""
    table = loaded.tables.items.media
    joined = table.joined(rows)
    for place, item_id in enumerate(item_ids if changed and table.spaces else []):
        for space, vector in changed[item_id].vectors.items() if item_id in changed else ():
            if space in table.parts:
                joined[place, table.parts[space]] = array_of(vector)
    return joined


def places(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    candidates: list[Candidate],
    changed: Mapping[str, Item],
) -> tuple[Float32, Float32]:
    """Return latitudes and longitudes [n]: an override's, else the release's, else NaN."""
    latitudes, longitudes = loaded.tables.items.places(rows)
    if loaded.tables.senses.place and changed:
        for at, candidate in enumerate(candidates):
            item = changed.get(candidate.item_id)
            if item is not None and item.HasField("place"):
                latitudes[at], longitudes[at] = item.place.latitude, item.place.longitude
    return latitudes, longitudes


def text_tokens(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    candidates: list[Candidate],
    changed: Mapping[str, Item],
) -> npt.NDArray[np.int32]:
    """Return the tokens of candidates' texts [n, N]: an override's, else the release's."""
    tokens = np.where((rows >= 0)[:, None], loaded.tables.items.text_tokens[rows], -1)
    if not loaded.ranker.config.candidate_tokens:
        return tokens
    places = [place for place, c in enumerate(candidates) if c.item_id in changed]
    texts = [item_text(changed[candidates[place].item_id]) for place in places]
    tokens[places] = loaded.candidate_tokenizer.tokens(texts)
    return tokens


def hit_arrays(candidates: list[Candidate]) -> tuple[Float32, npt.NDArray[np.int32]]:
    """Return the hits' scores and ranks, [candidates, sources], 0 where a source has none."""
    scores = np.zeros((len(candidates), len(SOURCES)), np.float32)
    ranks = np.zeros((len(candidates), len(SOURCES)), np.int32)
    for row, candidate in enumerate(candidates):
        for hit in candidate.hits:
            if (place := SOURCE_PLACE.get(hit.source)) is not None:
                scores[row, place] = hit.score
                ranks[row, place] = hit.rank
    return scores, ranks


def array_of(vector: Vector) -> Float32:
    """Return a message's vector without a copy."""
    return np.frombuffer(vector.float32_values, dtype="<f4")
