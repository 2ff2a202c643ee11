"""One Rank request, from top to bottom."""

import time

import numpy as np

from ranking_service.item_features import RankInput, rank_input
from ranking_service.loaded_release import LoadedRelease
from ranking_service.model_thread import ModelThread
from ranking_service.scorer import Scores, score
from ranking_service.selector.kinds import kinds_of
from ranking_service.selector.select import Slate, select
from ranking_service.slate import ranked_items
from ranking_service.validation import check_request, check_vectors
from serving.release_shelf import ReleaseShelf
from serving.stages import Deadline, StageLog
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.stage_pb2 import Stage


class RankPipeline:
    """Ranks candidates with the pinned release."""

    def __init__(
        self, shelf: ReleaseShelf[LoadedRelease], thread: ModelThread, diversity: float
    ) -> None:
        """diversity: of requests that set none."""
        self._shelf = shelf
        self._thread = thread
        self._diversity = diversity

    async def rank(self, request: RankRequest, deadline: Deadline) -> RankResponse:
        """Rank one request in its turn."""
        check_request(request)
        loaded = self._shelf.get(request.release_id)
        check_vectors(request, loaded.tables)
        return await self._thread.run(lambda: rank_now(loaded, request, self._diversity), deadline)


def rank_now(loaded: LoadedRelease, request: RankRequest, diversity: float) -> RankResponse:
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
    log.time(Stage.STAGE_SCORE, time.monotonic() - start)

    start = time.monotonic()
    slate = choose(loaded, request, found, scores, diversity)
    bias = float(ranker.head.bias[0].detach())
    items = ranked_items(request, found, scores, ranker.config, bias, slate)
    log.time(Stage.STAGE_SELECT, time.monotonic() - start)

    return RankResponse(
        release_id=request.release_id,
        items=items,
        unscored_item_ids=found.unscored,
        stage_timings=log.timings,
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
        np.asarray(found.packed.candidates.vectors, np.float32),
        item_ids,
        kinds_of(loaded.tables.items, item_ids, changed, variety, now_ms),
        request.item_count or len(item_ids),
        diversity=variety.diversity if variety.HasField("diversity") else diversity,
        keep_near_duplicates=variety.keep_near_duplicates,
    )
