"""The forward pass: one for all candidates of a request, one at a time on the device."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.ranker.packed_user import PackedUser, collate
from models.ranker.precision import mixed_precision
from models.ranker.ranker import Ranker
from models.ranker.value import expected_ratings, probabilities, values

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """What the model says of C candidates.

    logits: float32 [C], of engagement. language, features: its parts, [C] and [C, features].
    probabilities: float32 [C, outcomes]. values: float32 [C], by which the list is ordered.
    ratings: float32 [C], in the data set's scale, None where the model rates nothing.
    """

    logits: Float32
    language: Float32
    features: Float32
    probabilities: Float32
    values: Float32
    ratings: Float32 | None = None


def score(ranker: Ranker, packed: PackedUser, text_weight: float = 1.0) -> Scores:
    """Score all candidates of one request.

    text_weight: the parts of the logit that words alone bring about are multiplied by it.
    """
    config = ranker.config
    with torch.inference_mode():
        with mixed_precision():
            logits, language, parts = ranker.explain(collate(config, [packed]))
        logits, language, parts = logits[0].float(), language[0].float(), parts[0].float()
        if text_weight != 1.0:
            changed = torch.where(ranker.feature_of_words, parts * text_weight, parts)
            logits[:, 0] += (changed - parts).sum(-1)
            parts = changed
        chances = probabilities(logits, config.outcomes)
        value = values(chances, config.outcomes, config.value_weights)
        ratings = expected_ratings(logits, config.outcomes, config.rating_mean, config.rating_scale)
    return Scores(
        logits[:, 0].numpy(),
        language.numpy(),
        parts.numpy(),
        chances.numpy(),
        value.numpy(),
        None if ratings is None else ratings.numpy(),
    )
