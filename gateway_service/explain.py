"""Why an item is not in a list: which stage dropped it, and with what score."""

from features.dismissed import dismissed_items
from features.item_filter import predicate
from gateway_service.downstream import Downstream
from gateway_service.live_counts import LiveCounts
from gateway_service.pipeline import Made, Recommender
from gateway_service.rank import rank
from gateway_service.validation import check_recommend
from serving.stages import Deadline, StageLog
from serving.validation import check_id
from tandem.v1 import stage_pb2
from tandem.v1.candidate_pb2 import RankedItem
from tandem.v1.catalog_service_pb2 import BatchGetItemsRequest
from tandem.v1.item_fate_pb2 import Fate
from tandem.v1.recommender_service_pb2 import (
    ExplainRequest,
    ExplainResponse,
    RecommendRequest,
)
from tandem.v1.stage_pb2 import Stage

# Of the time left, what ranking all candidates once more may take.
RANK_SHARE = 0.9
DETAILS: dict[Fate.ValueType, str] = {
    Fate.FATE_UNSPECIFIED: "Retrieval did not answer, so that nobody can tell.",
    Fate.FATE_SHOWN: "It is number {position} of the list.",
    Fate.FATE_NOT_IN_CATALOGUE: "The catalogue does not have it.",
    Fate.FATE_UNAVAILABLE: "The catalogue says that it may not be recommended at present.",
    Fate.FATE_SEEN: "The user has seen it.",
    Fate.FATE_DISMISSED: "The user asked not to see it.",
    Fate.FATE_LIKE_DISMISSED: "It is nearly the same as an item that the user asked not to see.",
    Fate.FATE_EXCLUDED: "The request excludes it.",
    Fate.FATE_FILTERED: "The request's filter leaves it out.",
    Fate.FATE_RULED_OUT_BY_WORDS: "The words of the request or the profile rule it out.",
    Fate.FATE_CLOSED: "It is closed at the request's time.",
    Fate.FATE_FORBIDDEN: "The safety policy forbids it for this user.",
    Fate.FATE_NOT_FOUND: "No source found it. As a candidate it would be number {rank} of "
    "{candidates} by value.",
    Fate.FATE_NOT_A_CANDIDATE: "It is number {place} of what the sources found, too far down to be "
    "ranked. As a candidate it would be number {rank} of {candidates} by value.",
    Fate.FATE_RANKED_LOWER: "It is number {rank} of {candidates} candidates by value: {score:.4g}, "
    "where the last item of the list has {last:.4g}.",
    Fate.FATE_LEFT_OUT_FOR_VARIETY: "It is number {rank} of {candidates} candidates by value, and "
    "was left out for variety or limits.",
    Fate.FATE_DROPPED_BY_CHECK: "It was chosen, and dropped by the last look at the catalogue.",
    Fate.FATE_UNSCORED: "Neither the release nor the catalogue's changes describe it, so that it "
    "could not be ranked.",
}
STAGES: dict[Fate.ValueType, Stage.ValueType] = {
    Fate.FATE_UNSPECIFIED: stage_pb2.STAGE_RETRIEVE,
    Fate.FATE_SHOWN: stage_pb2.STAGE_UNSPECIFIED,
    Fate.FATE_NOT_FOUND: stage_pb2.STAGE_RETRIEVE,
    Fate.FATE_NOT_A_CANDIDATE: stage_pb2.STAGE_RETRIEVE,
    Fate.FATE_RANKED_LOWER: stage_pb2.STAGE_SCORE,
    Fate.FATE_LEFT_OUT_FOR_VARIETY: stage_pb2.STAGE_SELECT,
    Fate.FATE_DROPPED_BY_CHECK: stage_pb2.STAGE_CHECK,
    Fate.FATE_UNSCORED: stage_pb2.STAGE_FEATURES,
}


class Explainer:
    """Tells what became of an item in the making of a list."""

    def __init__(self, recommender: Recommender, downstream: Downstream, live: LiveCounts) -> None:
        self._recommender = recommender
        self._downstream = downstream
        self._live = live

    async def explain(self, request: ExplainRequest, deadline: Deadline) -> ExplainResponse:
        """Make the list, rank the item beside all candidates, and say where it went."""
        check_recommend(request.request)
        check_id("item_id", request.item_id)
        made = await self._recommender.make(
            request.request, deadline, traced_item_id=request.item_id
        )
        ranked = await self._by_value(request.request, made, deadline)
        told = ExplainResponse(
            retrieval_place=made.found.trace.place,
            candidate_count=len(ranked),
            last_score=made.answer.items[-1].score if made.answer.items else 0.0,
            answer=made.answer,
        )
        for number, item in enumerate(ranked, start=1):
            if item.item_id == request.item_id:
                told.rank = number
                told.item.CopyFrom(item)
        for number, item in enumerate(made.answer.items, start=1):
            if item.item_id == request.item_id:
                told.list_position = number
                told.item.CopyFrom(item)
        told.fate = await self._fate(request, made, told, deadline)
        told.stage = STAGES.get(told.fate, stage_pb2.STAGE_MERGE)
        told.detail = DETAILS[told.fate].format(
            position=told.list_position,
            place=told.retrieval_place,
            rank=told.rank,
            candidates=told.candidate_count,
            score=told.item.score,
            last=told.last_score,
        )
        return told

    async def _by_value(
        self, request: RecommendRequest, made: Made, deadline: Deadline
    ) -> list[RankedItem]:
        """Return all candidates and the traced item by value alone, none where none was scored."""
        alone = RecommendRequest()
        alone.CopyFrom(request)
        alone.variety.Clear()
        alone.variety.diversity = 0.0
        alone.variety.keep_near_duplicates = True
        ranked = await rank(
            self._downstream,
            made.found,
            alone,
            made.context,
            made.user,
            self._live,
            len(made.found.candidates),
            StageLog(),
            deadline.share(RANK_SHARE),
        )
        items = [item for item in ranked.items if item.contributions]
        return sorted(items, key=lambda item: -item.score)

    async def _fate(
        self, request: ExplainRequest, made: Made, told: ExplainResponse, deadline: Deadline
    ) -> Fate.ValueType:
        if told.list_position:
            return Fate.FATE_SHOWN
        if not made.found.HasField("trace"):
            return Fate.FATE_UNSPECIFIED
        fate = made.found.trace.fate
        if fate in (Fate.FATE_SEEN, Fate.FATE_EXCLUDED):
            dismissed = request.item_id in dismissed_items(made.user.history)
            return Fate.FATE_DISMISSED if dismissed else fate
        if fate == Fate.FATE_FILTERED:
            return await self._filtered_by(request, deadline)
        if fate:
            return fate
        if not told.rank:
            return Fate.FATE_UNSCORED
        wanted = len(made.answer.items)
        if request.item_id in [item.item_id for item in made.ranked.items[:wanted]]:
            return Fate.FATE_DROPPED_BY_CHECK
        return Fate.FATE_LEFT_OUT_FOR_VARIETY if told.rank <= wanted else Fate.FATE_RANKED_LOWER

    async def _filtered_by(self, request: ExplainRequest, deadline: Deadline) -> Fate.ValueType:
        """Return whether it is the caller's own filter that leaves an item out, or words."""
        if not request.request.HasField("filter"):
            return Fate.FATE_RULED_OUT_BY_WORDS
        asked = BatchGetItemsRequest(item_ids=[request.item_id])
        found = await self._downstream.catalog.BatchGetItems(asked, timeout=deadline.remaining())
        passes = predicate(request.request.filter)
        fits = any(passes(item) for item in found.items)
        return Fate.FATE_RULED_OUT_BY_WORDS if fits else Fate.FATE_FILTERED
