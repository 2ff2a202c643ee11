"""The answer: chosen items with probabilities, contributions and reasons."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

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
    places = slate.places
    told = [*(influences or []), *[None] * len(places)]
    outcomes = [
        (at, ACTION_OF_OUTCOME[name])
        for at, name in enumerate(config.outcomes)
        if name in ACTION_OF_OUTCOME
    ]
    chances = scores.probabilities[places].tolist()
    ratings = [None] * len(places) if scores.ratings is None else scores.ratings[places].tolist()
    parts = contributions(scores, config, bias, places)
    return [
        RankedItem(
            item_id=found.candidates[place].item_id,
            score=value,
            action_probabilities=[
                ActionProbability(action=action, probability=chances[number][at])
                for at, action in outcomes
            ],
            expected_rating=ratings[number],
            contributions=parts[number],
            reasons=finder.reasons(place, scores.features[place], told[number]),
            hits=found.candidates[place].hits,
            influences=told[number] or (),
            selector_shift=shift,
        )
        for number, (place, value, shift) in enumerate(
            zip(places.tolist(), scores.values[places].tolist(), slate.shifts.tolist(), strict=True)
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
    scores: Scores, config: RankerConfig, bias: float, places: npt.NDArray[np.intp]
) -> list[list[Contribution]]:
    """Return the parts of candidates' engagement logits, greatest magnitude first."""
    names = ["language_model", "bias", *config.features]
    language = scores.language[places, None]
    parts = np.concatenate(
        [language, np.full_like(language, bias), scores.features[places]], axis=1
    )
    order = np.argsort(-np.abs(parts), axis=1, kind="stable")
    by_size = np.take_along_axis(parts, order, axis=1)
    return [
        [
            Contribution(name=names[at], logit=logit)
            for at, logit in zip(own, logits, strict=True)
            if logit
        ]
        for own, logits in zip(order.tolist(), by_size.tolist(), strict=True)
    ]
