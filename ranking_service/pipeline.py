"""Rank requests, from top to bottom."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ranking_service.exploration import explore
from ranking_service.influences import influences
from ranking_service.item_features import RankInput, rank_input
from ranking_service.loaded_release import LoadedRelease
from ranking_service.model_threads import ModelThreads
from ranking_service.scorer import Scores, score, text_weight_of
from ranking_service.selector.kinds import kinds_of
from ranking_service.selector.select import Slate, select
from ranking_service.slate import ranked_items, read_features
from ranking_service.validation import check_request, check_vectors
from serving.release_shelf import ReleaseShelf
from serving.stages import Deadline, StageLog
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.stage_pb2 import SkipCause, Stage

# While the engine computes for one batch, the features of the next are made. The engine itself
# takes one at a time: a second would only share its cores.
THREADS = 2
# What taking items away may cost, in forward passes over all candidates.
INFLUENCES_COST = 2.0


@dataclass(frozen=True)
class Asked:
    """A request, the release that it names, and until when its answer is of use."""

    loaded: LoadedRelease
    request: RankRequest
    deadline: Deadline


class RankPipeline:
    """Ranks candidates with the pinned release."""

    def __init__(
        self,
        shelf: ReleaseShelf[LoadedRelease],
        queue_max: int,
        batch_tokens: int,
        diversity: float,
        tried: int,
    ) -> None:
        """queue_max: requests that may wait. batch_tokens: of requests that are scored together.
        diversity: of requests that set none. tried: how many items of a history are taken away in
        turn, to tell what they weigh.
        """
        self._shelf = shelf
        self._threads = ModelThreads[Asked, RankResponse](
            lambda batch: rank_together(batch, diversity, tried), queue_max, batch_tokens, THREADS
        )

    async def rank(self, request: RankRequest, deadline: Deadline) -> RankResponse:
        """Rank one request in its turn."""
        check_request(request)
        loaded = self._shelf.get(request.release_id)
        check_vectors(request, loaded.tables)
        config = loaded.ranker.config
        tokens = config.max_text_tokens + min(len(request.user.history), config.max_history)
        tokens += len(request.candidates) * (1 + config.candidate_tokens)
        return await self._threads.run(Asked(loaded, request, deadline), tokens, deadline)

    def close(self) -> None:
        """Drop what waits."""
        self._threads.close()


def rank_now(
    loaded: LoadedRelease,
    request: RankRequest,
    diversity: float,
    tried: int,
    deadline: Deadline,
) -> RankResponse:
    """Rank one request on this thread."""
    (told,) = rank_together([Asked(loaded, request, deadline)], diversity, tried)
    if isinstance(told, Exception):
        raise told
    return told


def rank_together(
    batch: Sequence[Asked], diversity: float, tried: int
) -> Iterator[RankResponse | Exception]:
    """Rank requests on this thread, those of a release in one forward pass; answers in order.

    What goes wrong with the features of one request is its own answer and no other's.
    """
    logs = [StageLog() for _ in batch]
    found: list[RankInput | Exception] = []
    for asked, log in zip(batch, logs, strict=True):
        start = time.monotonic()
        try:
            found.append(rank_input(asked.loaded, asked.request))
        except Exception as error:
            found.append(error)
        log.time(Stage.STAGE_FEATURES, time.monotonic() - start)

    start = time.monotonic()
    scores = scores_of(batch, found)
    scored_s = time.monotonic() - start
    for asked, own, told, log in zip(batch, found, scores, logs, strict=True):
        if isinstance(own, Exception):
            yield own
        elif told is None:
            yield RankResponse(
                release_id=asked.request.release_id,
                unscored_item_ids=own.unscored,
                stage_timings=log.timings,
            )
        else:
            log.time(Stage.STAGE_SCORE, scored_s)
            try:
                yield answer(asked, own, told, log, scored_s, diversity, tried)
            except Exception as error:
                yield error


def scores_of(
    batch: Sequence[Asked], found: Sequence[RankInput | Exception]
) -> list[Scores | None]:
    """Return the scores of requests, None where there is nothing to score."""
    scores: list[Scores | None] = [None] * len(batch)
    able = [n for n, own in enumerate(found) if isinstance(own, RankInput) and own.candidates]
    for release_id in {batch[n].request.release_id for n in able}:
        together = [n for n in able if batch[n].request.release_id == release_id]
        users = [own.packed for n in together if isinstance(own := found[n], RankInput)]
        weights = [text_weight_of(batch[n].request) for n in together]
        told = score(batch[together[0]].loaded, users, weights)
        for n, own_scores in zip(together, told, strict=True):
            scores[n] = own_scores
    return scores


def answer(
    asked: Asked,
    found: RankInput,
    scores: Scores,
    log: StageLog,
    scored_s: float,
    diversity: float,
    tried: int,
) -> RankResponse:
    """Choose the slate of one request and say why."""
    loaded, request = asked.loaded, asked.request
    ranker = loaded.ranker
    start = time.monotonic()
    slate = choose(loaded, request, found, scores, diversity)
    item_ids = [candidate.item_id for candidate in found.candidates]
    slate, explored = explore(slate, request, item_ids, scores.values, scores.probabilities[:, 0])
    places = slate.places.tolist()
    log.time(Stage.STAGE_SELECT, time.monotonic() - start)

    start = time.monotonic()
    first = places[: request.reason_count] if tried else []
    told = None
    if first and asked.deadline.remaining() > scored_s * INFLUENCES_COST:
        told = influences(loaded, request, found, first, scores.logits[first], tried)
    elif first:
        log.skip(
            Stage.STAGE_REASONS,
            SkipCause.SKIP_CAUSE_TIMEOUT,
            "too little time was left to take items of the history away; the nearest one is named",
        )
    bias = float(ranker.head.bias[0].detach())
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
