"""A request as the arrays that the ranker reads."""

from dataclasses import dataclass

import numpy as np

from features.candidate_items import CandidateItems
from features.candidates import hit_features, own_features, without_sources
from features.context import context_features
from features.heard import Heard, silence
from features.item_table import beside
from features.moment import moment_of
from features.user_view import view_user
from features.words import Said, request_words
from models.ranker.packed_user import PackedCandidates, PackedUser
from ranking_service.loaded_release import LoadedRelease
from ranking_service.looked_up import Float32, LookedUp, array_of, look_up
from tandem.v1.ranking_service_pb2 import RankRequest


@dataclass(frozen=True)
class RankInput(LookedUp):
    """What is scored, and what reasons are found in. packed: what the ranker reads of it."""

    packed: PackedUser


def rank_input(loaded: LoadedRelease, request: RankRequest) -> RankInput:
    """Look up every item, compute features and pack them."""
    found = look_up(loaded, request)
    return RankInput(**vars(found), packed=pack(loaded, request, found))


def pack(loaded: LoadedRelease, request: RankRequest, found: LookedUp) -> PackedUser:
    """Return what the ranker reads of a request's candidates and history."""
    tables, config = loaded.tables, loaded.ranker.config
    events, rows = found.events, found.rows
    moment = tables.senses.of_moment(moment_of(request.context, events))
    said = request_words(request.text, request.user.profile, found.history)
    heard = hear(loaded, request, said)
    tower = array_of(request.user_vector) if request.HasField("user_vector") else None
    user = view_user(tables, events, found.event_vectors, heard, tower, moment, found.event_media)
    context = context_features(events, moment, heard.weight)
    described = CandidateItems(
        rows=rows,
        vectors=found.vectors,
        media=found.media,
        latitudes=found.latitudes,
        longitudes=found.longitudes,
        tag_scores=tag_scores(loaded, found, heard),
        tastes=tables.tastes.popularity(heard.asked, rows),
        live=found.live,
        new=found.new,
    )
    hits = hit_features(found.hit_scores, found.hit_ranks, heard)
    features = np.concatenate([hits, own_features(tables, user, described)], axis=1)
    was_found = (found.hit_ranks > 0).any(axis=1, keepdims=True)
    recent = slice(-config.max_history, None)
    newest = events[recent]
    return PackedUser(
        text_ids=loaded.tokenizer.ids(said.text),
        events=newest,
        event_vectors=beside(found.event_vectors, found.event_media)[recent],
        candidates=PackedCandidates(
            rows=tables.items.id_rows(rows),
            vectors=described.contents,
            features=np.where(was_found, features, without_sources(features)),
            texts=found.texts,
            context=np.broadcast_to(context, (len(rows), len(context))),
            visible=np.full(len(rows), len(newest)),
        ),
        obeyed=said.asked,
    )


def hear(loaded: LoadedRelease, request: RankRequest, said: Said) -> Heard:
    """Return what a request's words come to; without a vector, what their tags do."""
    tables = loaded.tables
    width = tables.items.text_vectors.shape[1]
    if not said.text:
        return silence(width, len(tables.tags.names))
    vector = np.zeros(width, np.float32)
    if request.HasField("text_vector"):
        vector = array_of(request.text_vector)
    return Heard(vector, said.weight, tables.tags.asked(request.interest_tags))


def tag_scores(loaded: LoadedRelease, found: LookedUp, heard: Heard) -> Float32:
    """Return how much of the tags asked for each has [C]: by an override, else by the release."""
    tags, asked = loaded.tables.tags, heard.asked
    scores = tags.scores_of(asked, found.rows)
    for at, candidate in enumerate(found.candidates if found.changed and asked.any() else []):
        if (item := found.changed.get(candidate.item_id)) is not None:
            names = (*item.categories, *item.tags)
            scores[at] = tags.score_of(asked, names)
    return scores
