"""iALS: implicit alternating least squares, users folded in from their history.

Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.
"""

import numpy as np
from implicit.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from baselines import validation
from baselines.ranking import Scorer, with_unknown_last
from baselines.trial import Events, Float32, Requests, Trial
from baselines.validation import Settings

GRID: list[Settings] = [
    {"factors": factors, "regularization": regularization, "alpha": alpha, "iterations": 15}
    for factors in (32, 64, 128)
    for regularization in (1.0, 10.0)
    for alpha in (1.0, 4.0, 10.0)
]


def choose(trial: Trial, seed: int, budget: int | None) -> tuple[Settings, list[Settings]]:
    """Choose settings on validation."""
    return validation.choose(fit, GRID[:budget], trial, seed)


def fit(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Fit item factors; a request's user factor is solved from its history alone."""
    counts = events.matrix(trial.users, trial.items)
    # Its own threads share the rows; threads of BLAS inside them would only get in the way.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(**settings, random_state=seed, num_threads=2)
        model.fit(counts, show_progress=False)
    known = events.popularity(trial.items) > 0
    factors = np.where(known[:, None], model.item_factors, 0.0).astype(np.float32)

    def score(requests: Requests) -> Float32:
        with threadpool_limits(1, "blas"):
            users = model.recalculate_user(np.arange(len(requests)), requests.matrix(trial.items))
        return with_unknown_last(np.asarray(users @ factors.T), known)

    return score
