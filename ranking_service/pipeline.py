"""One Rank request, from top to bottom."""

import time
from typing import cast

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
from tandem.v1.stage_pb2 import Stage


class RankPipeline:
    """Ranks candidates with the pinned release."""

    def __init__(self, shelf: ReleaseShelf[LoadedRelease], thread: ModelThread) -> None:
        self._shelf = shelf
        self._thread = thread

    async def rank(self, request: RankRequest, deadline: Deadline) -> RankResponse:
        """Rank one request in its turn."""
        check_request(request)
        loaded = self._shelf.get(request.release_id)
        check_vectors(request, loaded.tables)
        return await self._thread.run(lambda: rank_now(loaded, request), deadline)


def rank_now(loaded: LoadedRelease, request: RankRequest) -> RankResponse:
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
    chosen = select(scores.values, request.item_count or len(found.candidates))
    bias = float(ranker.head.bias[0].detach())
    places = cast(list[int], chosen.tolist())
    items = ranked_items(request, found, scores, ranker.config, bias, places)
    log.time(Stage.STAGE_SELECT, time.monotonic() - start)

    return RankResponse(
        release_id=request.release_id,
        items=items,
        unscored_item_ids=found.unscored,
        stage_timings=log.timings,
        features=read_features(found, ranker.config, places) if request.log_features else None,
    )
