"""Item-kNN: cosine of co-occurrence, for catalogues that are too large for EASE.

Sarwar, Karypis, Konstan and Riedl, "Item-based Collaborative Filtering", WWW 2001.
"""

import warnings

import numpy as np
from implicit.nearest_neighbours import CosineRecommender
from implicit.utils import ParameterWarning
from scipy import sparse

from baselines import validation
from baselines.ranking import Scorer
from baselines.trial import Events, Float32, Requests, Trial
from baselines.validation import Settings

GRID: list[Settings] = [{"neighbours": neighbours} for neighbours in (50, 100, 200, 500)]


def choose(trial: Trial, seed: int, budget: int | None) -> tuple[Settings, list[Settings]]:
    """Choose settings on validation."""
    return validation.choose(fit, GRID[:budget], trial, seed)


def similarities(binary: sparse.csr_matrix, neighbours: int) -> sparse.csr_matrix:
    """Return the cosine of each item to its nearest others, float32 [items, items]."""
    model = CosineRecommender(K=neighbours + 1, num_threads=2)  # each is nearest to itself
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # of its own transposing
        model.fit(binary, show_progress=False)
    similar = model.similarity.tocsr().astype(np.float32)
    similar.setdiag(0.0)
    return similar


def fit(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Keep each item's nearest; an item's score is the sum of its cosines to the history."""
    del seed
    binary = events.matrix(trial.users, trial.items)
    binary.data[:] = 1.0
    similar = similarities(binary, settings["neighbours"])

    def score(requests: Requests) -> Float32:
        past = requests.matrix(trial.items)
        past.data[:] = 1.0
        return (past @ similar).toarray()

    return score
