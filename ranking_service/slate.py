"""The answer: chosen items with probabilities, contributions and reasons."""

import numpy as np

from models.ranker.config import RankerConfig
from ranking_service.item_features import RankInput
from ranking_service.reasons import ReasonFinder
from ranking_service.scorer import Scores
from ranking_service.selector.select import Slate
from tandem.v1.candidate_pb2 import ActionProbability, Contribution, RankedItem
from tandem.v1.event_pb2 import Action
from tandem.v1.ranking_service_pb2 import RankRequest

ACTION_OF_OUTCOME = {
    "engage": Action.ACTION_CLICK,
    "like": Action.ACTION_LIKE,
    "purchase": Action.ACTION_PURCHASE,
    "dismiss": Action.ACTION_DISMISS,
}


def ranked_items(
    request: RankRequest,
    found: RankInput,
    scores: Scores,
    config: RankerConfig,
    bias: float,
    slate: Slate,
) -> list[RankedItem]:
    """Return the chosen candidates as messages, in order."""
    finder = ReasonFinder(request, found, config.features)
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
            reasons=finder.reasons(place, scores.features[place]),
            hits=found.candidates[place].hits,
            selector_shift=shift,
        )
        for place, shift in zip(slate.places.tolist(), slate.shifts.tolist(), strict=True)
    ]


def contributions(
    scores: Scores, config: RankerConfig, bias: float, place: int
) -> list[Contribution]:
    """Return the parts of a candidate's engagement logit, greatest magnitude first."""
    names = ["language_model", "bias", *config.features]
    parts = np.concatenate([[scores.language[place], bias], scores.features[place]])
    order = np.argsort(-np.abs(parts), kind="stable")
    return [Contribution(name=names[i], logit=float(parts[i])) for i in order if parts[i] != 0]
