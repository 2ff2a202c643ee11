"""One Rank request, from top to bottom."""

import time
from typing import cast

from ranking_service.influences import influences
from ranking_service.item_features import rank_input
from ranking_service.loaded_release import LoadedRelease
from ranking_service.model_thread import ModelThread
from ranking_service.scorer import score
from ranking_service.selector import select
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

    def __init__(self, shelf: ReleaseShelf[LoadedRelease], thread: ModelThread, tried: int) -> None:
        """tried: how many items of a history are taken away in turn, to tell what they weigh."""
        self._shelf = shelf
        self._thread = thread
        self._tried = tried

    async def rank(self, request: RankRequest, deadline: Deadline) -> RankResponse:
        """Rank one request in its turn."""
        check_request(request)
        loaded = self._shelf.get(request.release_id)
        check_vectors(request, loaded.tables)
        return await self._thread.run(
            lambda: rank_now(loaded, request, self._tried, deadline), deadline
        )


def rank_now(
    loaded: LoadedRelease, request: RankRequest, tried: int, deadline: Deadline
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
    chosen = select(scores.values, request.item_count or len(found.candidates))
    bias = float(ranker.head.bias[0].detach())
    places = cast(list[int], chosen.tolist())
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
    items = ranked_items(loaded, request, found, scores, bias, places, told)
    log.time(Stage.STAGE_REASONS, time.monotonic() - start)

    return RankResponse(
        release_id=request.release_id,
        items=items,
        unscored_item_ids=found.unscored,
        skipped_stages=log.skipped,
        stage_timings=log.timings,
        features=read_features(found, ranker.config, places) if request.log_features else None,
    )
