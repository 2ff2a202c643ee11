"""One Recommend, from top to bottom."""

import logging
import random
import secrets
from typing import NamedTuple

from gateway_service.arrange import arrange
from gateway_service.attribution import Tokens, attribution_of
from gateway_service.blocklist import Blocklist
from gateway_service.check import backfilled, check
from gateway_service.conditions import Conditions, conditions_of
from gateway_service.downstream import Downstream
from gateway_service.exploration import Exploring
from gateway_service.friends import friends_items
from gateway_service.hydrate import hydrate
from gateway_service.impression import impression_of
from gateway_service.live_counts import LiveCounts
from gateway_service.pins import pinned_items, with_pinned
from gateway_service.rank import rank
from gateway_service.reasons import language_of, tell_reasons
from gateway_service.releases import Releases
from gateway_service.retrieve import retrieve, without_traced
from gateway_service.safety import Safety
from gateway_service.settings import Settings
from gateway_service.store.database import Database
from gateway_service.store.impressions import log_impression
from gateway_service.store.times import now_us
from gateway_service.validation import CANDIDATES_MAX, check_recommend
from serving.admission import Admission
from serving.stages import Deadline, StageLog
from tandem.v1 import stage_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.impression_pb2 import Impression
from tandem.v1.ranking_service_pb2 import RankResponse
from tandem.v1.recommender_service_pb2 import RecommendRequest, RecommendResponse
from tandem.v1.retrieval_service_pb2 import RetrieveResponse
from tandem.v1.user_pb2 import UserState

logger = logging.getLogger(__name__)
REQUEST_ID_BYTES = 16
# Part of the deadline that is laid aside for writing and sending the answer, and its limit.
ANSWER_PART = 0.1
ANSWER_MAX_S = 0.05


class Made(NamedTuple):
    """A list, and what it was made of.

    exploration_chance: with what probability it has places for exploration.
    """

    context: RequestContext
    user: UserState
    conditions: Conditions
    found: RetrieveResponse
    ranked: RankResponse
    exploration_chance: float
    answer: RecommendResponse


class Recommender:
    """Answers what to show to whom."""

    def __init__(
        self,
        settings: Settings,
        releases: Releases,
        database: Database,
        downstream: Downstream,
        tokens: Tokens,
        live: LiveCounts,
        exploring: Exploring,
        safety: Safety,
    ) -> None:
        self._settings = settings
        self._releases = releases
        self._database = database
        self._downstream = downstream
        self._tokens = tokens
        self._live = live
        self._exploring = exploring
        self._safety = safety
        self._admission = Admission(settings.max_in_flight)

    async def recommend(self, request: RecommendRequest, deadline: Deadline) -> RecommendResponse:
        """Return the list. A stage that fails is skipped and flagged; what it gives is replaced.

        Raises Overloaded at once where there are more requests than are answered in time.
        """
        check_recommend(request)
        with self._admission.slot(deadline.remaining()) as slot:
            made = await self.make(request, deadline)
            answer = made.answer
            causes = {skipped.cause for skipped in answer.skipped_stages}
            slot.tell(full=not answer.degraded, refused=stage_pb2.SKIP_CAUSE_OVERLOADED in causes)
        attribution = attribution_of(request.user_id, made.context, answer, made.exploration_chance)
        answer.attribution_token = self._tokens.sign(attribution)
        shown = impression_of(request.user_id, made.context, answer, attribution, made.ranked)
        self._log(shown, answer)
        return answer

    async def make(
        self, request: RecommendRequest, deadline: Deadline, *, traced_item_id: str = ""
    ) -> Made:
        """Make the list of a request that was checked; nothing is logged.

        traced_item_id: an item of which retrieval tells what became of it.
        """
        settings, downstream = self._settings, self._downstream
        release = self._releases.pin()
        stages = StageLog()
        context = _completed(request.context)
        count = request.item_count or settings.default_item_count
        wanted = count + settings.backfill_count
        keep_s = min(ANSWER_MAX_S, deadline.remaining() * ANSWER_PART)

        user = await hydrate(
            self._database, request, stages, deadline.share(settings.hydrate_share, keep_s=keep_s)
        )
        _tell_offset(context, user)
        used_by_friends = await friends_items(
            self._database,
            release,
            user,
            context,
            stages,
            deadline.share(settings.hydrate_share, keep_s=keep_s),
        )
        conditions = conditions_of(request, context, user.profile, release.vocabulary)
        excluded = (*request.excluded_item_ids, *filter(None, (context.seed_item_id,)))
        blocked = Blocklist(user, excluded, repeat=release.repeat)
        permitted = self._safety.of_request(user, context)

        found = await retrieve(
            downstream,
            release,
            request,
            conditions,
            context,
            user,
            blocked,
            self._live,
            used_by_friends,
            min(CANDIDATES_MAX, max(settings.candidate_count or release.candidate_count, wanted)),
            stages,
            deadline.share(settings.retrieve_share, keep_s=keep_s),
            traced_item_id=traced_item_id,
        )
        exploration, there = self._exploring.of(request, context, release, found, count)
        ranked = await rank(
            downstream,
            without_traced(found),
            request,
            context,
            user,
            self._live,
            wanted,
            stages,
            deadline.share(settings.rank_share, keep_s=keep_s),
            reason_count=min(count, settings.reason_count),
            exploration=exploration,
            log_features=random.random() < settings.feature_log_share,
        )
        pinned = pinned_items(request, count)
        filled = backfilled(
            list(ranked.items),
            release,
            blocked,
            user.user_id,
            wanted,
            conditions,
            permitted,
            request.variety,
        )
        fit, items = await check(
            downstream,
            with_pinned(filled, pinned),
            conditions,
            permitted,
            blocked,
            pinned,
            stages,
            deadline.share(settings.check_share, keep_s=keep_s),
        )
        now_ms = context.request_time.ToMilliseconds()
        slate = arrange(fit, items, pinned, request.variety, now_ms, count)
        tell_reasons(slate, items, context, language_of(user.profile, request.text))

        answer = RecommendResponse(
            items=slate,
            skipped_stages=stages.skipped,
            degraded=stages.degraded,
            release_id=release.release_id,
            model_versions=release.model_versions,
            stage_timings=stages.timings,
            request_id=context.request_id,
            interest_tags=conditions.interest_tags(found.interest_tags),
            text_filter=conditions.of_words,
        )
        return Made(context, user, conditions, found, ranked, there, answer)

    def _log(self, impression: Impression, answer: RecommendResponse) -> None:
        """Log the answer without making the caller wait."""
        logged_us = now_us()
        self._database.write_later(
            lambda connection: log_impression(connection, impression, logged_us)
        )
        if answer.degraded:
            causes = ", ".join(
                f"{stage_pb2.Stage.Name(skipped.stage)} {stage_pb2.SkipCause.Name(skipped.cause)}"
                for skipped in answer.skipped_stages
            )
            logger.warning("request %s is degraded: %s", answer.request_id, causes)


def _completed(given: RequestContext) -> RequestContext:
    """Return the context with a request id and a request time."""
    context = RequestContext()
    context.CopyFrom(given)
    if not context.request_id:
        context.request_id = secrets.token_hex(REQUEST_ID_BYTES)
    if not context.HasField("request_time"):
        context.request_time.GetCurrentTime()
    return context


def _tell_offset(context: RequestContext, user: UserState) -> None:
    """Give a context that tells no offset from UTC that of the newest event."""
    if not context.HasField("utc_offset") and user.history:
        context.utc_offset.CopyFrom(user.history[-1].utc_offset)
