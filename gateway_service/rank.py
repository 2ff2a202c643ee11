"""The third stage: the order of the candidates."""

from features.variety import asks_for_kinds
from gateway_service.downstream import Downstream
from gateway_service.live_counts import LiveCounts
from serving.stages import StageLog
from tandem.v1 import stage_pb2
from tandem.v1.candidate_pb2 import RankedItem
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.ranking_service_pb2 import Exploration, RankRequest, RankResponse
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.retrieval_service_pb2 import RetrieveResponse
from tandem.v1.user_pb2 import UserState

# As in reciprocal rank fusion, by which the candidates are ordered.
RANK_OFFSET = 60


async def rank(
    downstream: Downstream,
    found: RetrieveResponse,
    request: RecommendRequest,
    context: RequestContext,
    user: UserState,
    live: LiveCounts,
    count: int,
    stages: StageLog,
    budget_s: float,
    *,
    reason_count: int = 0,
    exploration: Exploration | None = None,
    log_features: bool = False,
) -> RankResponse:
    """Return up to `count` candidates, best first: as the ranking service says, else as found.

    As found it is all of them where the variety looks at their kinds, of which ranking alone knows.
    reason_count: how many of them are to come with what items of the history weigh. exploration:
    which places are for new items. log_features: whether to return what the ranker read of them.
    """
    if not found.candidates:
        return RankResponse()
    query = RankRequest(
        release_id=found.release_id,
        user=user,
        context=context,
        text=request.text,
        text_weight=request.text_weight if request.HasField("text_weight") else None,
        interest_tags=found.interest_tags,
        text_vector=found.text_vector if found.HasField("text_vector") else None,
        user_vector=found.user_vector if found.HasField("user_vector") else None,
        candidates=found.candidates,
        item_overrides=found.item_overrides,
        item_count=min(count, len(found.candidates)),
        live_counts=live.of_items(found.release_id, [c.item_id for c in found.candidates]),
        log_features=log_features,
        reason_count=reason_count,
        exploration=exploration,
        variety=request.variety if request.HasField("variety") else None,
    )
    kept = len(found.candidates) if asks_for_kinds(request.variety) else count
    ranked = await stages.run(
        stage_pb2.STAGE_RANK,
        downstream.ranking.Rank(query, timeout=budget_s),
        budget_s,
        instead="items are in the order in which retrieval returned them",
    )
    if ranked is None:
        return RankResponse(items=as_found(found, kept))
    stages.skipped.extend(ranked.skipped_stages)
    stages.timings.extend(ranked.stage_timings)
    if not ranked.items:
        stages.skip(
            stage_pb2.STAGE_RANK,
            stage_pb2.SKIP_CAUSE_UNAVAILABLE,
            "chose nothing; items are in the order in which retrieval returned them",
        )
        return RankResponse(items=as_found(found, kept))
    hits = {candidate.item_id: candidate.hits for candidate in found.candidates}
    for item in ranked.items:
        if not item.hits:
            item.hits.extend(hits.get(item.item_id, ()))
    return ranked


def as_found(found: RetrieveResponse, count: int) -> list[RankedItem]:
    """Return the first candidates in their order, scored by its reciprocal."""
    return [
        RankedItem(
            item_id=candidate.item_id, score=1 / (RANK_OFFSET + position), hits=candidate.hits
        )
        for position, candidate in enumerate(found.candidates[:count], start=1)
    ]
