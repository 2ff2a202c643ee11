"""The sources' results merged into one list of candidates."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.fusion import SourceWeights
from features.hits import standardise
from retrieval_service.sources.query import Scored
from tandem.v1.candidate_pb2 import Candidate, Source

# Of the candidates, how many are new items that no other source found.
FRESH_SHARE = 0.05


@dataclass(frozen=True)
class Merging:
    """Weighted reciprocal rank fusion. words_weight: how much words count, 0 without any. newcomer:
    whether there is no history.
    """

    weights: SourceWeights
    words_weight: float
    newcomer: bool = False

    def merge(self, found: Mapping[Source.ValueType, Scored], count: int) -> list[Candidate]:
        """Return the `count` best, each once, with all its hits.

        Fresh items count for nothing in the fusion, but a share of the places is theirs where other
        sources have not found them.
        """
        found = dict(found)
        fresh = [item_id for item_id, _ in found.pop(Source.SOURCE_FRESH, [])]
        ranked = {source: [item_id for item_id, _ in result] for source, result in found.items()}
        fused = self.weights.fuse(ranked, self.words_weight, self.newcomer)
        by_fusion = sorted(fused, key=lambda item_id: -fused[item_id])
        others = [item_id for item_id in fresh if item_id not in fused][: int(count * FRESH_SHARE)]
        best = [*by_fusion[: count - len(others)], *others]
        candidates = {item_id: Candidate(item_id=item_id) for item_id in best}
        for source, result in found.items():
            scores = standardise(np.array([score for _, score in result], np.float32)).tolist()
            for rank, ((item_id, _), score) in enumerate(zip(result, scores, strict=True), start=1):
                if (candidate := candidates.get(item_id)) is not None:
                    candidate.hits.add(source=source, score=score, rank=rank)
        for rank, item_id in enumerate(fresh, start=1):
            if (candidate := candidates.get(item_id)) is not None:
                candidate.hits.add(source=Source.SOURCE_FRESH, score=0.0, rank=rank)
        return list(candidates.values())
