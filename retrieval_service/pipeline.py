"""One request for candidates, from top to bottom."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from features.events import event_arrays
from features.fates import COULD_BE
from features.followed_policy import FollowedPolicy
from features.history import recency, weights_of_actions
from features.interests import interests
from features.item_attributes import known_attributes
from features.item_table import beside
from features.moment import moment_of
from features.tower import tower_input
from features.words import request_words
from retrieval_service.catalogue.media_vectors import MediaVectors
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.catalogue.view import View
from retrieval_service.encoder import Encoder
from retrieval_service.fate import fate_by
from retrieval_service.filters.compiler import compile_filter
from retrieval_service.index.indexer import Indexer
from retrieval_service.merge import Merging
from retrieval_service.near_dismissed import near_dismissed
from retrieval_service.overrides import (
    item_overrides,
    joined_media,
    joined_texts,
    present_media,
    present_vectors,
)
from retrieval_service.release import LoadedRelease
from retrieval_service.sources.asked import sources_of
from retrieval_service.sources.query import Float32, Query, Scored, Search
from retrieval_service.trace import trace_of
from retrieval_service.user_encoder import UserEncoder
from retrieval_service.validation import check_retrieve
from serving.errors import DependencyUnavailable
from serving.release_shelf import ReleaseShelf
from serving.stages import Deadline, StageLog
from tandem.v1 import stage_pb2
from tandem.v1.candidate_pb2 import Candidate, Source
from tandem.v1.common_pb2 import Vector
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tandem.v1.user_pb2 import InterestTag

Value = TypeVar("Value")
# Laid aside for merging and for the way back.
KEEP_S = 0.01
SOURCES_SHARE = 0.9
# Of the sources' time, what encoding words or user may take; the rest is for the search with them.
ENCODE_SHARE = 0.6


class RetrievePipeline:
    """Finds candidates."""

    def __init__(
        self,
        shelf: ReleaseShelf[LoadedRelease],
        view: View,
        vectors: Vectors,
        media: MediaVectors,
        indexer: Indexer,
        encoder: Encoder,
        user_encoder: UserEncoder,
        rules: FollowedPolicy,
    ) -> None:
        self._shelf = shelf
        self._view = view
        self._vectors = vectors
        self._media = media
        self._indexer = indexer
        self._encoder = encoder
        self._user_encoder = user_encoder
        self._rules = rules

    async def retrieve(self, request: RetrieveRequest, deadline: Deadline) -> RetrieveResponse:
        """Answer one request. Raises InvalidField, VersionMismatch, DependencyUnavailable."""
        check_retrieve(request, known_attributes(self._view.schema))
        loaded = self._shelf.get(request.release_id)
        count = request.candidate_count or loaded.release.candidate_count
        log = StageLog()
        query = await self._query(request, loaded, count, deadline)
        words, understood, user, found = await self._find(query, log)
        if not found:
            raise DependencyUnavailable("retrieval", "no source gave an answer")
        start = time.monotonic()
        unwanted = await near_dismissed(
            loaded, self._view, self._vectors, request.user, _items_of(found)
        )
        found = {s: [pair for pair in got if pair[0] not in unwanted] for s, got in found.items()}
        merging = Merging(
            loaded.release.source_weights, query.words_weight, newcomer=not query.item_ids
        )
        candidates = merging.merge(found, count)
        log.time(stage_pb2.STAGE_MERGE, time.monotonic() - start)
        trace = None
        if request.traced_item_id:
            every = merging.merge(found, len(_items_of(found)))
            trace = trace_of(request.traced_item_id, query, unwanted, every, candidates)
            if trace.fate in COULD_BE:
                candidates.append(Candidate(item_id=request.traced_item_id, hits=trace.hits))
        wanted = {*(candidate.item_id for candidate in candidates), *query.item_ids}
        changed = await present_vectors(loaded, self._view, self._vectors, wanted)
        brought = await present_media(loaded, self._view, self._media, wanted)
        response = RetrieveResponse(
            release_id=loaded.release.release_id,
            candidates=candidates,
            item_overrides=item_overrides(loaded, self._view, changed, brought),
            interest_tags=understood,
            skipped_stages=log.skipped,
            stage_timings=log.timings,
            trace=trace,
        )
        if words is not None:
            response.text_vector.CopyFrom(Vector(float32_values=words.astype("<f4").tobytes()))
        if user is not None:
            response.user_vector.CopyFrom(Vector(float32_values=user.astype("<f4").tobytes()))
        return response

    async def _query(
        self, request: RetrieveRequest, loaded: LoadedRelease, count: int, deadline: Deadline
    ) -> Query:
        """Digest the request once for all sources."""
        items, history = loaded.release.items, request.user.history
        seed = request.context.seed_item_id
        item_ids = [event.item_id for event in history]
        senses = loaded.release.senses
        events = senses.of_events(event_arrays(history, items))
        asked = {*item_ids, seed} - {""}
        changed = await present_vectors(loaded, self._view, self._vectors, asked)
        brought = await present_media(loaded, self._view, self._media, asked)
        seed_row = items.row(seed)
        known_seed = items.text_vectors[seed_row] if seed_row >= 0 else None
        action_weights = weights_of_actions(events.actions)
        release = loaded.release
        # As in training; deeper where more is asked than the ranker was trained with.
        depth = max(release.source_depth, count * release.source_depth // release.candidate_count)
        shut_out = len(request.excluded_item_ids)
        if not loaded.release.repeat:
            shut_out += max(len(request.user.seen.item_hashes), len(item_ids))
        moment = moment_of(request.context, events, request.user.profile.region_code)
        return Query(
            loaded=loaded,
            moment=senses.of_moment(moment),
            item_ids=item_ids,
            events=events,
            weights=action_weights * recency(len(history)),
            action_weights=action_weights,
            vectors_ED=joined_texts(loaded, item_ids, changed),
            media_EM=joined_media(loaded, item_ids, brought),
            said=request_words(request.text, request.user.profile, history),
            text_weight=request.text_weight if request.HasField("text_weight") else 1.0,
            live_counts={count.item_id: count.count for count in request.live_counts},
            friends_items={used.item_id: used.count for used in request.friends_items},
            seed_item_id=seed,
            seed_vector=changed.get(seed, known_seed),
            seed_media=joined_media(loaded, [seed], brought)[0],
            depth=depth,
            # The history is what its own mean and factor find first; of all else that was seen,
            # few are among the best. Where they are not few, another round is searched.
            over_fetch=min(shut_out, len(item_ids) + depth // 4),
            fate=fate_by(request, loaded.release, moment, self._view, self._rules.decided),
            search=self._search(request, loaded),
            deadline=deadline,
        )

    def _search(self, request: RetrieveRequest, loaded: LoadedRelease) -> Search:
        """Return the search of the release's collections with the request's filter."""
        release_id = loaded.release.release_id
        known = known_attributes(self._view.schema)
        root = request.filter if request.HasField("filter") else None

        async def search(space: str, vectors_QD: Float32, limit: int) -> list[Scored]:  # noqa: N803
            columns = self._indexer.columns(release_id, space)
            expression = compile_filter(root, known, columns)
            return await self._indexer.search(release_id, space, vectors_QD, expression, limit)

        return search

    async def _find(
        self, query: Query, log: StageLog
    ) -> tuple[
        Float32 | None, list[InterestTag], Float32 | None, Mapping[Source.ValueType, Scored]
    ]:
        """Run all sources in parallel.

        Returns the words' vector, what they were understood as, the user's vector, and what was
        found.
        """
        budget_s = query.deadline.share(SOURCES_SHARE, keep_s=KEEP_S)
        encode_s = budget_s * ENCODE_SHARE
        words = asyncio.ensure_future(self._encode(query, log, encode_s))
        understood = asyncio.ensure_future(_understand(query, words))
        user = asyncio.ensure_future(self._encode_user(query, encode_s))
        sources = sources_of(query, self._view, words, understood, user)
        try:
            results = await asyncio.gather(
                *(log.run(stage, work, budget_s) for stage, work in sources.values())
            )
        finally:
            for work in (words, understood, user):
                work.cancel()
        found = {
            source: result
            for source, result in zip(sources, results, strict=True)
            if result is not None
        }
        return _result(words), _result(understood) or [], _result(user), found

    async def _encode(self, query: Query, log: StageLog, budget_s: float) -> Float32 | None:
        if not query.said.text:
            return None
        version = query.loaded.encoder_version
        work = self._encoder.encode_words(query.said.text, version=version, budget_s=budget_s)
        return await log.run(stage_pb2.STAGE_ENCODE, work, budget_s)

    async def _encode_user(self, query: Query, budget_s: float) -> Float32 | None:
        """Return the user's vector, None without history."""
        if not query.item_ids:
            return None
        config = query.loaded.tower
        user = tower_input(
            query.events,
            query.moment,
            rating_mean=config.rating_mean,
            rating_scale=config.rating_scale,
            max_history=config.max_history,
        )
        return await self._user_encoder.user_vector(
            query.loaded.release,
            user,
            beside(query.vectors_ED, query.media_EM)[-config.max_history :],
            timeout_s=budget_s,
        )


def _items_of(found: Mapping[Source.ValueType, Scored]) -> list[str]:
    """Return all items that were found, once each."""
    return list(dict.fromkeys(item_id for result in found.values() for item_id, _ in result))


async def _understand(query: Query, words: Awaitable[Float32 | None]) -> list[InterestTag]:
    return interests(query.said, await words, query.loaded.release.tags)


def _result(work: asyncio.Future[Value]) -> Value | None:
    """Return what came of work that may not have finished or succeeded."""
    if not work.done() or work.cancelled() or work.exception() is not None:
        return None
    return work.result()
