"""Fitting collaborative filtering: iALS factors and item-to-item neighbours (EASE, cosine)."""

import warnings

import numpy as np
import numpy.typing as npt
import torch
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from implicit.utils import ParameterWarning
from threadpoolctl import threadpool_limits

from features.cf import CfModel
from features.neighbours import Neighbours
from features.popularity import HALF_LIFE_MS
from training.interactions import Interactions
from training.memory import give_back
from training.settings import TrainSettings

AT_ONCE = 1_000


def fit_cf(interactions: Interactions, settings: TrainSettings) -> CfModel:
    """Fit iALS; items without interactions get a factor of zeros."""
    matrix = interactions.matrix()
    # Its own threads share the rows; BLAS threads inside them would only get in the way.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=settings.cf_width,
            regularization=settings.cf_regularization,
            alpha=settings.cf_alpha,
            iterations=settings.cf_iterations,
            random_state=settings.seed,
        )
        model.fit(matrix, show_progress=False)
    factors = np.array(model.item_factors, dtype=np.float32)
    factors[np.asarray(matrix.sum(axis=0)).ravel() == 0] = 0.0
    return CfModel(factors, settings.cf_regularization, settings.cf_alpha)


def fit_neighbours(interactions: Interactions, settings: TrainSettings) -> Neighbours:
    """Return each item's nearest neighbours, itself left out: EASE's, or for many items cosines."""
    keep = min(settings.neighbours, max(interactions.items - 1, 1))
    if interactions.items <= settings.ease_items:
        return _ease(interactions, keep, settings.ease_regularization)
    return _cosines(interactions, keep)


def _ease(interactions: Interactions, keep: int, regularization: float) -> Neighbours:
    """Return the greatest weights of a linear model of each item from all others.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
    """
    matrix = interactions.matrix()
    matrix.data = np.ones_like(matrix.data, dtype=np.float32)
    give_back()
    gram = torch.from_numpy((matrix.T @ matrix).toarray())
    gram.diagonal().add_(regularization)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram)).numpy()
    del gram
    own = np.diag(inverse).copy()
    rows = np.full((interactions.items, keep), -1, np.int32)
    scores = np.zeros((interactions.items, keep), np.float32)
    for start in range(0, interactions.items, AT_ONCE):
        some = np.arange(start, min(start + AT_ONCE, interactions.items))
        weights = inverse[some] / -own
        weights[np.arange(len(some)), some] = 0.0
        best = np.argpartition(-weights, keep - 1, axis=1)[:, :keep]
        found = np.take_along_axis(weights, best, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        found = np.maximum(np.take_along_axis(found, order, axis=1), 0.0)
        rows[some] = np.where(found > 0, np.take_along_axis(best, order, axis=1), -1)
        scores[some] = found
    return Neighbours(rows, scores)


def _cosines(interactions: Interactions, keep: int) -> Neighbours:
    model = CosineRecommender(K=keep + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # of its own transposing
        model.fit(interactions.matrix(), show_progress=False)
    similar = model.similarity.tocsr()
    rows = np.full((interactions.items, keep), -1, dtype=np.int32)
    scores = np.zeros((interactions.items, keep), dtype=np.float32)
    for item in range(interactions.items):
        part = slice(similar.indptr[item], similar.indptr[item + 1])
        found, cosines = similar.indices[part], similar.data[part]
        other = found != item
        best = np.argsort(-cosines[other], kind="stable")[:keep]
        rows[item, : len(best)] = found[other][best]
        scores[item, : len(best)] = cosines[other][best]
    return Neighbours(rows, scores)


def popularity(
    interactions: Interactions,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return each item's count of events, float32 [items], plain and halved for every 30 days."""
    events = interactions.events
    plain = np.bincount(events.rows, minlength=interactions.items)
    recent = np.bincount(
        events.rows, weights=decayed(events.times_ms), minlength=interactions.items
    )
    return plain.astype(np.float32), recent.astype(np.float32)


def decayed(times_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return what events [n] count: half as much for every 30 days before the newest."""
    ago_ms = times_ms.max(initial=0) - times_ms
    return np.asarray(np.exp2(-ago_ms / HALF_LIFE_MS), np.float64)
