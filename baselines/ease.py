"""EASE: a linear item-to-item model in closed form.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
"""

import numpy as np
from scipy import linalg, sparse

from baselines import validation
from baselines.ranking import Scorer
from baselines.trial import Events, Float32, NotApplicable, Requests, Trial
from baselines.validation import Settings

GRID: list[Settings] = [
    {"l2": l2} for l2 in (30.0, 100.0, 200.0, 350.0, 500.0, 750.0, 1000.0, 2000.0)
]
LARGEST = 20_000


def possible(events: Events) -> bool:
    """Return whether the dense matrices of a fit stay within LARGEST x LARGEST cells."""
    users, items = len(np.unique(events.user)), len(np.unique(events.item))
    return min(users * items, items * items) <= LARGEST**2


def choose(trial: Trial, seed: int, budget: int | None) -> tuple[Settings, list[Settings]]:
    """Choose settings on validation."""
    return validation.choose(fit, GRID[:budget], trial, seed)


def fit(events: Events, trial: Trial, settings: Settings, seed: int) -> Scorer:
    """Solve for the item-to-item weights; a request's scores are its history's row of them.

    With X the binary matrix, P = (X'X + l2 I)^-1 and B = I - P / diag(P), the scores are x B. Where
    there are fewer users than items, x P follows from a matrix of users alone:
    P = (I - X' (X X' + l2 I)^-1 X) / l2.

    Raises NotApplicable where `possible` says no.
    """
    if not possible(events):
        users, items = len(np.unique(events.user)), len(np.unique(events.item))
        raise NotApplicable(
            f"EASE needs a dense matrix of items x items or users x items; with {users} users and "
            f"{items} items that is more than {LARGEST} x {LARGEST}"
        )
    del seed
    l2 = settings["l2"]
    binary = events.matrix(trial.users, trial.items)
    binary = binary[np.diff(binary.indptr) > 0]
    binary.data[:] = 1.0
    known = np.flatnonzero(events.popularity(trial.items) > 0)
    binary = binary[:, known]
    if binary.shape[0] < binary.shape[1]:
        inner = _inverse(binary @ binary.T, l2)
        through = np.asarray(inner @ binary)  # [users, items]
        diagonal = (1.0 - np.asarray(binary.multiply(through).sum(axis=0)).ravel()) / l2
    else:
        inverse = _inverse(binary.T @ binary, l2)
        diagonal = inverse.diagonal().copy()

    def score(requests: Requests) -> Float32:
        past = requests.matrix(trial.items)[:, known]
        past.data[:] = 1.0
        dense = past.toarray()
        if binary.shape[0] < binary.shape[1]:
            projected = (dense - (past @ binary.T) @ through) / l2
        else:
            projected = np.asarray(past @ inverse)
        scores = np.zeros((len(requests), trial.items), dtype=np.float32)
        scores[:, known] = dense - projected / diagonal
        return scores

    return score


def _inverse(gram: sparse.csr_matrix, l2: float) -> Float32:
    """Return (gram + l2 I)^-1 of a sparse symmetric matrix, float32, by Cholesky in place."""
    matrix = gram.toarray(order="F").astype(np.float32, copy=False)
    matrix[np.diag_indices_from(matrix)] += l2
    factor, failed = linalg.lapack.spotrf(matrix, lower=True, overwrite_a=True)
    if failed:
        raise ArithmeticError(f"the Gram matrix with l2 = {l2} is not positive definite")
    inverse, failed = linalg.lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise ArithmeticError("the factor of the Gram matrix is singular")
    for column in range(1, len(inverse)):  # LAPACK fills one triangle
        inverse[:column, column] = inverse[column, :column]
    return inverse
