"""The second stage: candidates."""

import grpc
import grpc.aio

from features.fates import COULD_BE
from features.release import Release
from gateway_service.blocklist import Blocklist
from gateway_service.conditions import Conditions
from gateway_service.downstream import Downstream
from gateway_service.fallback import fallback_candidates
from gateway_service.live_counts import LiveCounts
from serving.errors import InvalidField
from serving.stages import StageLog
from tandem.v1 import error_reason_pb2, stage_pb2
from tandem.v1.common_pb2 import ItemCount
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tandem.v1.user_pb2 import UserState
from tandem_client.errors import reason_of


async def retrieve(
    downstream: Downstream,
    release: Release,
    request: RecommendRequest,
    conditions: Conditions,
    context: RequestContext,
    user: UserState,
    blocked: Blocklist,
    live: LiveCounts,
    used_by_friends: list[ItemCount],
    count: int,
    stages: StageLog,
    budget_s: float,
    *,
    traced_item_id: str = "",
) -> RetrieveResponse:
    """Return about `count` candidates: those of the retrieval service, else the fallback list.

    traced_item_id: an item that is to be among them if it may, however few sources found it.

    Raises InvalidField if the retrieval service refuses the filter.
    """
    query = RetrieveRequest(
        release_id=release.release_id,
        user=user,
        context=context,
        text=request.text,
        text_weight=request.text_weight if request.HasField("text_weight") else None,
        filter=conditions.filter,
        open_only=conditions.open_minute is not None,
        excluded_item_ids=sorted(blocked.excluded_item_ids),
        candidate_count=count,
        live_counts=live.top(release.release_id),
        traced_item_id=traced_item_id,
        friends_items=used_by_friends,
    )
    found = await stages.run(
        stage_pb2.STAGE_RETRIEVE,
        _call(downstream, query, conditions, budget_s),
        budget_s,
        instead="candidates are the release's fallback list",
    )
    if found is not None:
        stages.skipped.extend(found.skipped_stages)
        stages.timings.extend(found.stage_timings)
        if found.candidates:
            return found
        stages.skip(
            stage_pb2.STAGE_RETRIEVE,
            stage_pb2.SKIP_CAUSE_NO_INPUT,
            "found nothing; candidates are the release's fallback list",
        )
    candidates = fallback_candidates(release, blocked, user.user_id, count)
    return RetrieveResponse(release_id=release.release_id, candidates=candidates)


def without_traced(found: RetrieveResponse) -> RetrieveResponse:
    """Return what was found without the candidate that is there only because it is traced."""
    if found.trace.fate not in COULD_BE:
        return found
    others = RetrieveResponse()
    others.CopyFrom(found)
    del others.candidates[-1]
    return others


async def _call(
    downstream: Downstream, query: RetrieveRequest, conditions: Conditions, budget_s: float
) -> RetrieveResponse:
    try:
        return await downstream.retrieval.Retrieve(query, timeout=budget_s)
    except grpc.aio.AioRpcError as error:
        reason, metadata = reason_of(error)
        field = metadata.get("field", "")
        # Only the catalogue knows which attributes there are, so the caller's filter is judged
        # there. Anything else that it refuses is our doing.
        if reason == error_reason_pb2.ERROR_REASON_INVALID_FIELD and field.startswith("filter"):
            field = conditions.field_of_caller(field)
            raise InvalidField(field, metadata.get("problem", "")) from error
        raise
