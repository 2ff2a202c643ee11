"""The forward pass: one for all candidates of a request or of several, one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.ranker.flat_batch import FlatBatch, flat_batch
from models.ranker.packed_user import PackedUser
from models.ranker.ranker import Ranker
from models.ranker.value import expected_ratings, probabilities, values
from ranking_service.loaded_release import LoadedRelease
from tandem.v1.ranking_service_pb2 import RankRequest

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


def score(
    loaded: LoadedRelease, users: Sequence[PackedUser], text_weights: Sequence[float]
) -> list[Scores]:
    """Score the candidates of several requests in one forward pass.

    text_weights: of each request; the parts of the logit that words alone bring about are
    multiplied by it.
    """
    batch = flat_batch(loaded.ranker.config, users, rounded=loaded.engine.by_shape)
    with torch.inference_mode():
        logits, language, parts = _explained(loaded, batch)
        return [
            _scores(loaded.ranker, logits[own], language[own], parts[own], weight)
            for own, weight in zip(batch.parts, text_weights, strict=True)
        ]


def engage_logits(
    loaded: LoadedRelease, users: Sequence[PackedUser], text_weight: float
) -> Float32:
    """Return the engagement logits of all users' candidates, one user after the other."""
    batch = flat_batch(loaded.ranker.config, users, rounded=loaded.engine.by_shape)
    with torch.inference_mode():
        logits, _, parts = _explained(loaded, batch)
        logits, _ = _weighted(loaded.ranker, logits, parts, text_weight)
        found: Float32 = logits[:, 0].numpy()
    return found


def text_weight_of(request: RankRequest) -> float:
    """Return how much words count in a request."""
    return request.text_weight if request.HasField("text_weight") else 1.0


def _explained(loaded: LoadedRelease, batch: FlatBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits [C, outcomes], and what language model [C] and features [C, F] add."""
    ranker, there = loaded.ranker, slice(batch.parts[-1].stop)
    features = ranker.standardised(torch.from_numpy(batch.candidate_features_CF))
    new, obeyed = torch.from_numpy(batch.new_C[there]), torch.from_numpy(batch.obeyed_C[there])
    if ranker.listens(new):
        states = loaded.engine.states(batch, features)[there]
    else:
        states = features.new_zeros(len(new), ranker.head.language.in_features)
    # What is nobody's only fills up the engine's shape.
    features = features[there]
    found: tuple[Tensor, Tensor, Tensor] = ranker.head.explain(
        states, features, new, ranker.features_of(new, obeyed)
    )
    return found


def _weighted(
    ranker: Ranker, logits: Tensor, parts: Tensor, text_weight: float
) -> tuple[Tensor, Tensor]:
    """Return logits and parts with what words alone bring about multiplied."""
    if text_weight == 1.0:
        return logits, parts
    changed = torch.where(ranker.feature_of_words, parts * text_weight, parts)
    logits = logits.clone()
    logits[:, 0] += (changed - parts).sum(-1)
    return logits, changed


def _scores(
    ranker: Ranker, logits: Tensor, language: Tensor, parts: Tensor, text_weight: float
) -> Scores:
    config = ranker.config
    logits, parts = _weighted(ranker, logits, parts, text_weight)
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
