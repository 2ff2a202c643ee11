"""What running services answered to a trial."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from features.candidates import SOURCES
from features.fusion import SourceWeights, source_name
from tandem.v1 import event_pb2, stage_pb2
from tandem.v1.candidate_pb2 import Candidate, RankedItem, Source
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.stage_pb2 import SkippedStage
from training.evaluation.trial import Trial
from training.evaluation.trial_file import DEPTH, UNASKED

TANDEM, UNION = "tandem", "union"
# The union without one source, whose name follows.
WITHOUT = "without:"


class Answers:
    """Lists by system, as in Result, and scores of labelled rows.

    degraded: how many answers of Recommend were. skipped: how often a stage was, by its cause.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.ranked: dict[str, npt.NDArray[np.int32]] = {}
        self.label_scores = np.full(len(trial.rated), np.nan, np.float32)
        self.degraded = 0
        self.skipped: Counter[str] = Counter()
        self.latencies_s: list[float] = []
        self._row = {str(item): row for row, item in enumerate(trial.dataset.items["item_id"])}
        self.ranked[TANDEM] = np.full((len(trial.requests), DEPTH), -1, np.int32)

    def note(self, system: str, number: int, item_ids: Iterable[str]) -> None:
        """Keep the list of a request."""
        if system not in self.ranked:
            self.ranked[system] = np.full((len(self.trial.requests), DEPTH), UNASKED, np.int32)
        rows = [self._row[item_id] for item_id in islice(item_ids, DEPTH)]
        self.ranked[system][number] = -1
        self.ranked[system][number, : len(rows)] = rows

    def note_slate(self, number: int, response: RecommendResponse, seconds: float) -> None:
        """Keep an answer of Recommend."""
        self.note(TANDEM, number, (item.item_id for item in response.items))
        self.degraded += response.degraded
        self.latencies_s.append(seconds)
        self._note_skipped(response.skipped_stages)

    def note_candidates(
        self,
        number: int,
        candidates: Sequence[Candidate],
        depth: int,
        count: int,
        weights: SourceWeights,
        words_weight: float,
        newcomer: bool = False,
    ) -> None:
        """Keep each source's list, their union as it is served, and that without each of them.

        depth: how far into each source's list the served union looks. count: how long it is.
        weights: of the release. words_weight: how much words count, 0 without any.
        newcomer: whether the user has no history.
        """
        lists = source_lists(candidates)
        for source in dict.fromkeys((*SOURCES, *lists)):
            self.note(f"source:{source_name(source)}", number, lists.get(source, ()))
        served = {source: found[:depth] for source, found in lists.items()}

        def note_union(system: str, left_out: Source.ValueType | None) -> None:
            kept = {source: found for source, found in served.items() if source != left_out}
            fused = weights.fuse(kept, words_weight, newcomer)
            self.note(system, number, sorted(fused, key=lambda item: -fused[item])[:count])

        note_union(UNION, None)
        for source in dict.fromkeys((*SOURCES, *lists)):
            note_union(f"{WITHOUT}{source_name(source)}", source)

    def note_scores(self, numbers: Sequence[int], items: Sequence[RankedItem]) -> None:
        """Keep what Rank says of labelled rows, numbered as their items in the trial."""
        scores = {item.item_id: like_given_engagement(item) for item in items}
        for number in numbers:
            item_id = str(self.trial.dataset.items["item_id"].iloc[self.trial.rated.items[number]])
            self.label_scores[number] = scores.get(item_id, np.nan)

    def about(self) -> dict[str, Any]:
        """Return what is told beside the metrics."""
        told: dict[str, Any] = {"degraded": self.degraded, "skipped": dict(self.skipped)}
        if self.latencies_s:
            p50, p95 = np.percentile(self.latencies_s, [50, 95]) * 1000
            told["recommend_ms"] = {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
        return told

    def _note_skipped(self, stages: Iterable[SkippedStage]) -> None:
        for skipped in stages:
            stage = stage_pb2.Stage.Name(skipped.stage).removeprefix("STAGE_").lower()
            cause = stage_pb2.SkipCause.Name(skipped.cause).removeprefix("SKIP_CAUSE_").lower()
            self.skipped[f"{stage}: {cause}"] += 1


def source_lists(candidates: Sequence[Candidate]) -> dict[Source.ValueType, list[str]]:
    """Return each source's items by rank, the sources in the order of their numbers."""
    found: dict[Source.ValueType, list[tuple[int, str]]] = {}
    for candidate in candidates:
        for hit in candidate.hits:
            found.setdefault(hit.source, []).append((hit.rank, candidate.item_id))
    return {source: [item_id for _, item_id in sorted(found[source])] for source in sorted(found)}


def like_given_engagement(item: RankedItem) -> float:
    """Return the probability of a like given that the user engages.

    Where the release knows no likes, that of engaging; NaN where ranking said nothing.
    """
    chances = {chance.action: chance.probability for chance in item.action_probabilities}
    engaged = chances.get(event_pb2.ACTION_CLICK, 0.0)
    if event_pb2.ACTION_LIKE not in chances:
        return engaged if chances else float("nan")
    return chances[event_pb2.ACTION_LIKE] / engaged if engaged > 0 else 0.0
