"""What a ranker knows besides the order: the next item and action, and ratings."""

import numpy as np
import numpy.typing as npt
from torch import Tensor

from models.ranker.ranker import Ranker
from models.ranker.value import RATING
from training.progress import Say
from training.ranker.labels import Labels
from training.ranker.validation_logits import ValidationLogits

Floats = npt.NDArray[np.floating]
Truths = npt.NDArray[np.bool_]


def validation_quality(
    ranker: Ranker, said: ValidationLogits, labels: Labels, say: Say
) -> dict[str, float]:
    """Return measures on validation targets and judgements, by name.

    said: what the ranker says of them, as calibrated.

    next_item: share of targets that are first in their list; next_action_item: those of them of
    which every known outcome, such as a like, is told right as well. rating_rmse: of judgements, in
    the data set's scale, and rating_rmse_of_mean, that of always saying the mean.
    """
    found: dict[str, float] = {}
    right = both = 0
    for example, logits in zip(said.found, said.lists, strict=True):
        first = int(logits[:, 0].argmax()) == example.found_at
        told, wanted = _yes_no(ranker, logits[example.found_at, 1:], labels.of(example))
        right += first
        both += first and bool((told == wanted).all())
    if said.targets:
        found |= {"next_item": right / said.targets, "next_action_item": both / said.targets}
        say(
            f"validation: next item right {found['next_item']:.4f}, "
            f"item and action {found['next_action_item']:.4f}"
        )
    if ranker.rates and said.judged:
        ratings = said.judgements[:, -1].astype(np.float64)
        truth = np.array([float(labels.of(example)[-1]) for example in said.judged])
        known, scale = np.isfinite(truth), ranker.config.rating_scale
        if known.any():
            found["rating_rmse"] = scale * _rms(ratings[known] - truth[known])
            found["rating_rmse_of_mean"] = scale * _rms(truth[known])
            say(
                f"validation: error of ratings (RMSE) {found['rating_rmse']:.4f}, "
                f"{found['rating_rmse_of_mean']:.4f} for the mean"
            )
    return found


def _yes_no(ranker: Ranker, logits: Floats, wanted: Tensor) -> tuple[Truths, Truths]:
    """Return what is said and what is so, for the outcomes that are known and no rating."""
    truth = wanted.numpy()
    others = ranker.config.outcomes[1:]
    known = np.isfinite(truth) & np.array([name != RATING for name in others], bool)
    return logits[known] > 0, truth[known] > 0.5


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
