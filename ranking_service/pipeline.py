"""One Rank request, from top to bottom."""

import time

from ranking_service.exploration import explore
from ranking_service.influences import influences
from ranking_service.item_features import RankInput, rank_input
from ranking_service.loaded_release import LoadedRelease
from ranking_service.model_thread import ModelThread
from ranking_service.scorer import Scores, score
from ranking_service.selector.kinds import kinds_of
from ranking_service.selector.select import Slate, select
from ranking_service.slate import ranked_items, read_features
from ranking_service.validation import check_request, check_vectors
from serving.release_shelf import ReleaseShelf
from serving.stages import Deadline, StageLog
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.stage_pb2 import SkipCause, Stage

# What taking items away may cost, in forward passes over all candidates.
INFLUENCES_COST = 2.0


class RankPipeline:
    """Ranks candidates with the pinned release."""

    def __init__(
        self,
        shelf: ReleaseShelf[LoadedRelease],
        thread: ModelThread,
        diversity: float,
        tried: int,
    ) -> None:
        """diversity: of requests that set none. tried: how many items of a history are taken away
        in turn, to tell what they weigh.
        """
        self._shelf = shelf
        self._thread = thread
        self._diversity = diversity
        self._tried = tried

    async def rank(self, request: RankRequest, deadline: Deadline) -> RankResponse:
        """Rank one request in its turn."""
        check_request(request)
        loaded = self._shelf.get(request.release_id)
        check_vectors(request, loaded.tables)
        return await self._thread.run(
            lambda: rank_now(loaded, request, self._diversity, self._tried, deadline), deadline
        )


def rank_now(
    loaded: LoadedRelease,
    request: RankRequest,
    diversity: float,
    tried: int,
    deadline: Deadline,
) -> RankResponse:
    """Rank one request on this thread."""
    log = StageLog()
    ranker = loaded.ranker

    start = time.monotonic()
    found = rank_input(loaded, request)
    log.time(Stage.STAGE_FEATURES, time.monotonic() - start)
    if not found.candidates:
        return RankResponse(
            release_id=request.release_id,
            unscored_item_ids=found.unscored,
            stage_timings=log.timings,
        )

    start = time.monotonic()
    text_weight = request.text_weight if request.HasField("text_weight") else 1.0
    scores = score(ranker, found.packed, text_weight)
    scored_s = time.monotonic() - start
    log.time(Stage.STAGE_SCORE, scored_s)

    start = time.monotonic()
    slate = choose(loaded, request, found, scores, diversity)
    item_ids = [candidate.item_id for candidate in found.candidates]
    slate, explored = explore(slate, request, item_ids, scores.values, scores.probabilities[:, 0])
    bias = float(ranker.head.bias[0].detach())
    places = slate.places.tolist()
    log.time(Stage.STAGE_SELECT, time.monotonic() - start)

    start = time.monotonic()
    first = places[: request.reason_count] if tried else []
    told = None
    if first and deadline.remaining() > scored_s * INFLUENCES_COST:
        told = influences(loaded, request, found, first, tried)
    elif first:
        log.skip(
            Stage.STAGE_REASONS,
            SkipCause.SKIP_CAUSE_TIMEOUT,
            "too little time was left to take items of the history away; the nearest one is named",
        )
    items = ranked_items(loaded, request, found, scores, bias, slate, told)
    for item, place in zip(items, places, strict=True):
        if place in explored:
            item.explored_with = explored[place]
    log.time(Stage.STAGE_REASONS, time.monotonic() - start)

    return RankResponse(
        release_id=request.release_id,
        items=items,
        unscored_item_ids=found.unscored,
        skipped_stages=log.skipped,
        stage_timings=log.timings,
        features=read_features(found, ranker.config, places) if request.log_features else None,
    )


def choose(
    loaded: LoadedRelease,
    request: RankRequest,
    found: RankInput,
    scores: Scores,
    diversity: float,
) -> Slate:
    """Choose the slate as the request's `variety` asks; `diversity` is for one that sets none."""
    variety = request.variety
    item_ids = [candidate.item_id for candidate in found.candidates]
    changed = {override.item.item_id: override.item for override in request.item_overrides}
    now_ms = request.context.request_time.ToMilliseconds()
    return select(
        scores.values,
        found.vectors,
        item_ids,
        kinds_of(loaded.tables.items, item_ids, changed, variety, now_ms),
        request.item_count or len(item_ids),
        diversity=variety.diversity if variety.HasField("diversity") else diversity,
        keep_near_duplicates=variety.keep_near_duplicates,
    )
