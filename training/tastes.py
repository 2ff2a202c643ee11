"""Counting what people of a taste go for: the tags that they would name, and what they do."""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.tags import ItemTags
from features.tastes import Tastes
from training.interactions import Interactions
from training.words import NO_WORDS, Words

# Enough to know what is liked with what; more would only make a release larger.
PEOPLE_MOST = 20_000
# What fewer people name would tell of them, and little of anybody else.
NAMED_LEAST = 5


def fit_tastes(
    tags: ItemTags,
    words: Words,
    known: Interactions,
    fitted: Interactions,
    without: npt.NDArray[np.int64],
    seed: int,
) -> Tastes:
    """Count events by the tags that people name who have a profile, or would name.

    What they would name is taken from the older half of all that is `known` of them, so that only
    events of the newer half count, or a taste would be popular with itself; after a profile all
    events count. fitted: the events that may be counted, the first of each user's. without: int64
    [n], users who shall not count, as they are to be learned from.
    """
    there = np.setdiff1d(np.flatnonzero(fitted.counts() > 0), without)
    people = np.random.default_rng(seed).permutation(there)[:PEOPLE_MOST]
    profiled = words.of_user != NO_WORDS
    said = np.where(profiled, words.of_user, words.of_taste)
    after = np.where(profiled, 0, known.counts() // 2)
    named = _named(tags, words, said[people])
    ever, late = _liked(fitted, 0 * after)[people], _liked(fitted, after)[people]
    sums = sparse.csr_matrix(named.T @ late)
    sums.eliminate_zeros()
    # Among all, every event tells; the whole is as much as what tastes are made of.
    share = float(late.sum()) / max(float(ever.sum()), 1e-9)
    return Tastes(
        of_all=np.asarray(ever.sum(axis=0) * share, np.float32).ravel(),
        people=float(len(people)),
        said_by=np.asarray(named.sum(axis=0), np.float32).ravel(),
        starts=sums.indptr.astype(np.int64),
        rows=sums.indices.astype(np.int32),
        sums=sums.data.astype(np.float32),
    )


def _named(tags: ItemTags, words: Words, said: npt.NDArray[np.int64]) -> sparse.csr_matrix:
    """Return who names which tag, 1 or 0, [people, tags], of tags that several name; said: places
    of their words.
    """
    place = {name: at for at, name in enumerate(tags.names)}
    named = [[place[name] for name in tags.vocabulary.named(words.texts[at])] for at in said]
    starts = np.concatenate([[0], np.cumsum([len(own) for own in named])])
    columns = np.array([at for own in named for at in own], np.int64)
    people = np.bincount(columns, minlength=len(tags.names))
    counted = (people[columns] >= NAMED_LEAST).astype(np.float32)
    return sparse.csr_matrix((counted, columns, starts), shape=(len(said), len(tags.names)))


def _liked(fitted: Interactions, after: npt.NDArray[np.int64]) -> sparse.csr_matrix:
    """Return what each user's events from a place on count, float32 [users, items]."""
    users = fitted.user_rows()
    late = np.arange(len(users)) - fitted.starts[users] >= after[users]
    matrix = fitted.where(late).matrix()
    matrix.data[:] = 1.0
    norms = np.sqrt(np.maximum(np.diff(matrix.indptr), 1))
    return sparse.csr_matrix(sparse.diags(1.0 / norms) @ matrix, dtype=np.float32)
