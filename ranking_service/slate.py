"""The answer: chosen items with probabilities, contributions and reasons."""

from collections.abc import Iterable, Sequence

import numpy as np

from models.ranker.config import RankerConfig
from ranking_service.item_features import RankInput
from ranking_service.loaded_release import LoadedRelease
from ranking_service.reasons import ReasonFinder
from ranking_service.scorer import Scores
from ranking_service.selector.select import Slate
from tandem.v1.candidate_pb2 import ActionProbability, Contribution, Influence, RankedItem
from tandem.v1.common_pb2 import Vector
from tandem.v1.event_pb2 import Action
from tandem.v1.impression_pb2 import FeatureLog
from tandem.v1.ranking_service_pb2 import RankRequest

ACTION_OF_OUTCOME = {
    "engage": Action.ACTION_CLICK,
    "like": Action.ACTION_LIKE,
    "purchase": Action.ACTION_PURCHASE,
    "dismiss": Action.ACTION_DISMISS,
}


def ranked_items(
    loaded: LoadedRelease,
    request: RankRequest,
    found: RankInput,
    scores: Scores,
    bias: float,
    slate: Slate,
    influences: Sequence[Sequence[Influence]] | None,
) -> list[RankedItem]:
    """Return the chosen candidates as messages, in order.

    influences: of the first ones, None where they are not known.
    """
    config = loaded.ranker.config
    finder = ReasonFinder(loaded, request, found)
    told = list(influences or [])
    return [
        RankedItem(
            item_id=found.candidates[place].item_id,
            score=float(scores.values[place]),
            action_probabilities=[
                ActionProbability(action=ACTION_OF_OUTCOME[outcome], probability=float(chance))
                for outcome, chance in zip(
                    config.outcomes, scores.probabilities[place], strict=True
                )
                if outcome in ACTION_OF_OUTCOME
            ],
            expected_rating=None if scores.ratings is None else float(scores.ratings[place]),
            contributions=contributions(scores, config, bias, place),
            reasons=finder.reasons(
                place, scores.features[place], told[number] if number < len(told) else None
            ),
            hits=found.candidates[place].hits,
            influences=told[number] if number < len(told) else (),
            selector_shift=shift,
        )
        for number, (place, shift) in enumerate(
            zip(slate.places.tolist(), slate.shifts.tolist(), strict=True)
        )
    ]


def read_features(found: RankInput, config: RankerConfig, chosen: Iterable[int]) -> FeatureLog:
    """Return what the ranker read of the chosen candidates, in order."""
    rows = found.packed.candidates.features
    return FeatureLog(
        names=config.features,
        items=[Vector(float32_values=rows[place].astype("<f4").tobytes()) for place in chosen],
    )


def contributions(
    scores: Scores, config: RankerConfig, bias: float, place: int
) -> list[Contribution]:
    """Return the parts of a candidate's engagement logit, greatest magnitude first."""
    names = ["language_model", "bias", *config.features]
    parts = np.concatenate([[scores.language[place], bias], scores.features[place]])
    order = np.argsort(-np.abs(parts), kind="stable")
    return [Contribution(name=names[i], logit=float(parts[i])) for i in order if parts[i] != 0]
