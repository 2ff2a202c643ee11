"""Which users an epoch of the user tower reads, where there are too many events for all of them."""

import numpy as np
import numpy.typing as npt

from training.interactions import Interactions


def portion(known: Interactions, most: int, epoch: int, seed: int) -> Interactions:
    """Return what an epoch, counted from 0, reads: everything, or else whole users in turn.

    Where there are more than `most` events, an epoch reads as many users as make up about `most`,
    at most all events of one user more. The next epoch goes on with the users that follow, in an
    order drawn by `seed`: each is read once before any is read again.
    """
    if len(known.events) <= most:
        return known
    return known.of_users(users_of_epoch(known.counts(), most, epoch, seed))


def users_of_epoch(
    counts: npt.NDArray[np.int64], most: int, epoch: int, seed: int
) -> npt.NDArray[np.int64]:
    """Return the users whose turn it is, ascending; counts: int64 [users], their events."""
    order = np.random.default_rng(seed).permutation(len(counts))
    ends = np.cumsum(counts[order])
    starts = ends - counts[order]
    # Users stand in a circle, each as long as their events are many; an epoch is an arc of it.
    turn = (starts - epoch * most) % ends[-1] < most
    return np.sort(order[turn])
