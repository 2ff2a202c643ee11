"""Metrics of scores for labelled rows: AUC, UAUC, log-loss and calibration error."""

import numpy as np
import numpy.typing as npt

from training.evaluation.intervals import LEVEL, RESAMPLES, Metric, UserBootstrap

Float = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
BINS = 10
CLIP = 1e-7


def label_metrics(
    scores: Float, labels: Float, users: Int64, *, probabilities: bool
) -> dict[str, Metric]:
    """Return auc and uauc and, of probabilities, log_loss and ece; intervals are over users.

    scores: float64 [L], finite. labels: float64 [L], 1 or 0. users: int64 [L].
    """
    bootstrap = UserBootstrap(users)
    metrics = {"auc": _auc_metric(scores, labels, bootstrap)}
    by_user = user_aucs(scores, labels, bootstrap.user, bootstrap.users)
    both = np.flatnonzero(np.isfinite(by_user))
    metrics["uauc"] = UserBootstrap(both).means(by_user[both, None])[0]
    if probabilities:
        metrics["log_loss"] = bootstrap.means(log_losses(scores, labels)[:, None])[0]
        metrics["ece"] = _ece_metric(scores, labels, bootstrap)
    return metrics


def auc(scores: Float, labels: Float) -> float:
    """Return the chance that a liked row is above a disliked one, ties half; NaN without both."""
    return float(_weighted_auc(scores, labels, np.ones((1, len(scores))))[0])


def user_aucs(scores: Float, labels: Float, user: Int64, users: int) -> Float:
    """Return each user's AUC, float64 [users], NaN where there are not both labels.

    user: int64 [L], from 0 to users - 1.
    """
    order = np.lexsort((scores, user))
    user, scores, labels = user[order], scores[order], labels[order]
    liked = np.bincount(user, labels, minlength=users)
    counts = np.bincount(user, minlength=users)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    # Mean rank of equal scores within the user, from 1.
    new = np.ones(len(user), dtype=bool)
    new[1:] = (user[1:] != user[:-1]) | (scores[1:] != scores[:-1])
    group = np.cumsum(new) - 1
    sizes = np.bincount(group)
    first = np.flatnonzero(new)
    ranks = (first + (sizes + 1) / 2)[group] - starts[user]
    above = np.bincount(user, ranks * labels, minlength=users) - liked * (liked + 1) / 2
    pairs = liked * (counts - liked)
    return np.where(pairs > 0, above / np.maximum(pairs, 1), np.nan)


def log_losses(scores: Float, labels: Float) -> Float:
    """Return the negative log-likelihood of each row, in nats; scores are kept from 0 and 1."""
    chances = np.clip(scores, CLIP, 1 - CLIP)
    return -(labels * np.log(chances) + (1 - labels) * np.log1p(-chances))


def calibration_error(scores: Float, labels: Float) -> float:
    """Return the expected calibration error over BINS bins of equal width.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    """
    return float(np.abs(_gaps(scores, labels).sum(axis=0)).sum() / max(len(scores), 1))


def _gaps(scores: Float, labels: Float) -> Float:
    """Return each row's score less its label, in the column of its bin, float64 [L, BINS]."""
    bins = np.clip((scores * BINS).astype(np.int64), 0, BINS - 1)
    gaps = np.zeros((len(scores), BINS))
    gaps[np.arange(len(scores)), bins] = scores - labels
    return gaps


def _ece_metric(scores: Float, labels: Float, bootstrap: UserBootstrap) -> Metric:
    columns = np.column_stack([_gaps(scores, labels), np.ones(len(scores))])
    sums = bootstrap.totals(columns)
    drawn = np.concatenate([weights @ sums for weights in bootstrap.draws(RESAMPLES)])
    errors = np.abs(drawn[:, :-1]).sum(axis=1) / drawn[:, -1]
    low, high = np.percentile(errors, LEVEL)
    return {"mean": calibration_error(scores, labels), "ci95": [float(low), float(high)]}


def _auc_metric(scores: Float, labels: Float, bootstrap: UserBootstrap) -> Metric:
    draws = bootstrap.draws(RESAMPLES, width=4 * len(scores))
    drawn = np.concatenate([_weighted_auc(scores, labels, w[:, bootstrap.user]) for w in draws])
    drawn = drawn[np.isfinite(drawn)]
    bounds = np.percentile(drawn, LEVEL).tolist() if len(drawn) else None
    return {"mean": auc(scores, labels), "ci95": bounds}


def _weighted_auc(scores: Float, labels: Float, weights: npt.NDArray[np.floating]) -> Float:
    """Return the AUC under several weightings [W, L] of the rows, float64 [W]."""
    order = np.argsort(scores, kind="stable")
    scores, labels, weights = scores[order], labels[order], weights[:, order]
    disliked = np.cumsum(weights * (1 - labels), axis=1, dtype=np.float64)
    disliked = np.concatenate([np.zeros((len(weights), 1)), disliked], axis=1)
    below = disliked[:, np.searchsorted(scores, scores, side="left")]
    up_to = disliked[:, np.searchsorted(scores, scores, side="right")]
    won = (weights * labels * (below + up_to) / 2).sum(axis=1)
    pairs = (weights * labels).sum(axis=1) * disliked[:, -1]
    return np.where(pairs > 0, won / np.maximum(pairs, 1e-12), np.nan)
