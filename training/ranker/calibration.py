"""Making the ranker's probabilities mean what they say, on validation targets.

Platt, "Probabilistic outputs for support vector machines", 1999: a slope and an offset for each
outcome's logit. They are folded into the head, so that its parts still sum to the logit.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from models.ranker.ranker import Ranker
from models.ranker.value import RATING
from training.progress import Say
from training.ranker.labels import Labels
from training.ranker.validation_logits import ValidationLogits

Float32 = npt.NDArray[np.float32]
# By outcome: the calibration error before and after.
Calibration = dict[str, dict[str, float]]
FEWEST = 20
ROUNDS = 50
BINS = 15


def calibrate(ranker: Ranker, said: ValidationLogits, labels: Labels, say: Say) -> Calibration:
    """Calibrate each outcome in place; return its calibration error before and after.

    said: what the ranker says of validation, which is rescaled along with its head.

    Engagement is calibrated on the candidates of validation targets, of which one was taken; the
    other outcomes on judgements that were not learned from. An outcome with too few examples of
    either kind stays as it is.
    """
    report = {}
    outcomes = ranker.config.outcomes
    if said.found:
        taken = [np.arange(len(example.rows)) == example.found_at for example in said.found]
        truth = np.concatenate(taken).astype(np.float32)
        logits = np.concatenate([own[:, 0] for own in said.lists])
        report[outcomes[0]] = _calibrate(ranker, said, 0, logits, truth)
    if len(outcomes) > 1 and said.judged:
        wanted = np.stack([labels.of(example).numpy() for example in said.judged])
        for place, name in enumerate(outcomes[1:], start=1):
            if name == RATING:
                continue
            known = np.isfinite(wanted[:, place - 1])
            logits, truth = said.judgements[known, place], wanted[known, place - 1]
            report[name] = _calibrate(ranker, said, place, logits, truth)
    report = {name: errors for name, errors in report.items() if errors}
    for name, errors in report.items():
        say(
            f"calibration error of {name!r} on validation: {errors['before']:.4f}, "
            f"{errors['after']:.4f} after scaling"
        )
    return report


def _calibrate(
    ranker: Ranker, said: ValidationLogits, outcome: int, logits: Float32, truth: Float32
) -> dict[str, float]:
    if min(truth.sum(), (1 - truth).sum()) < FEWEST:
        return {}
    slope, offset = platt(logits, truth)
    ranker.head.rescale(outcome, slope, offset)
    said.rescale(outcome, slope, offset)
    return {
        "before": calibration_error(_sigmoid(logits), truth),
        "after": calibration_error(_sigmoid(slope * logits + offset), truth),
    }


def platt(logits: Float32, truth: Float32) -> tuple[float, float]:
    """Return slope (positive) and offset by which logits [n] fit truth [n], 0 or 1, best."""
    x, y = torch.from_numpy(logits).double(), torch.from_numpy(truth).double()
    free = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # log slope, offset
    optimizer = torch.optim.LBFGS([free], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(free[0].exp() * x + free[1], y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    step: Callable[[Callable[[], torch.Tensor]], object] = optimizer.step
    step(closure)
    log_slope, offset = free.detach().tolist()
    return float(np.exp(log_slope)), float(offset)


def calibration_error(chances: Float32, truth: Float32) -> float:
    """Return the expected calibration error over bins of equal size (Naeini et al., AAAI 2015)."""
    order = np.argsort(chances, kind="stable")
    error = 0.0
    for part in np.array_split(order, BINS):
        if len(part):
            error += len(part) * abs(float(chances[part].mean()) - float(truth[part].mean()))
    return error / max(len(order), 1)


def _sigmoid(logits: Float32) -> Float32:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)
