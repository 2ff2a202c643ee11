"""The slate: candidate by candidate, what is best beside those chosen already."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.caps import Caps, preferred
from features.fresh_share import FreshShare
from features.near_duplicates import are_near
from ranking_service.selector.determinantal import Residuals, log_values, most_likely
from ranking_service.selector.kinds import Kinds
from ranking_service.selector.pool import DEPTH_MOST, pool_of
from ranking_service.selector.stand_ins import with_stand_ins

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
CROWD = 10


@dataclass(frozen=True)
class Slate:
    """places: intp [k], of the chosen candidates, in order. shifts: int [k], by how many places
    each stands higher (positive) or lower than by value alone.
    """

    places: Places
    shifts: npt.NDArray[np.int64]


def select(
    values: Float32,
    vectors: Float32,
    item_ids: Sequence[str],
    kinds: Kinds,
    count: int,
    *,
    diversity: float,
    keep_near_duplicates: bool,
) -> Slate:
    """Choose up to `count` of n candidates.

    values: float32 [n]. One that is not finite says nothing and sinks to the end. Ties keep the
    order of retrieval. vectors: float32 [n, D], of their texts, L2-normalised or zeros.
    diversity: 0 to 1, as in the contract. With 0, without limits and with near duplicates kept the
    order is that of the values.
    """
    sunk = np.where(np.isfinite(values), values, -np.inf)
    order = np.argsort(-sunk, kind="stable")
    by_value = sunk[order]
    kinds = kinds.take(order)
    count = min(count, len(order))
    by_value_alone = Slate(order[:count], np.zeros(count, np.int64))
    if diversity == 0 and keep_near_duplicates and not kinds.limited:
        return by_value_alone

    pool = pool_of(np.isfinite(by_value), count, kinds.caps)
    texts = with_stand_ins(vectors[order[pool]], [item_ids[place] for place in order[pool]])
    kernel = texts @ texts.T
    np.fill_diagonal(kernel, 1.0)
    better = np.ones(len(order), np.bool_)
    if not keep_near_duplicates:
        better[pool[worse_of_near(kernel)]] = False
    if diversity == 0 and better.all() and not kinds.limited:
        return by_value_alone

    residuals = Residuals(kernel, min(count, DEPTH_MOST))
    worth = log_values(by_value[pool])
    enough = count <= min(DEPTH_MOST, int(better[pool].sum()))
    if diversity > 0 and enough and not kinds.limited:
        found = pool[most_likely(residuals, worth, better[pool], count, diversity)]
        return Slate(order[found], found - np.arange(count))

    caps = Caps(kinds.caps, len(order))
    share = FreshShare(kinds.fresh_share, count)
    left, able = np.ones(len(order), np.bool_), np.isfinite(by_value)
    in_pool = np.full(len(order), -1)
    in_pool[pool] = np.arange(len(pool))
    chosen: list[int] = []
    while len(chosen) < count:
        open_ = preferred(caps.kept_by(preferred(left, able)), better)
        if share.due(len(chosen)):
            open_ = preferred(open_, kinds.fresh)
        among = open_[pool]
        if len(chosen) < DEPTH_MOST and diversity > 0 and among.any():
            gains = residuals.gains(worth, diversity)
            place = int(pool[np.where(among, gains, -np.inf).argmax()])
            residuals.take(in_pool[place])
        else:
            place = int(open_.argmax())
        left[place] = False
        caps.take(place)
        share.take(bool(kinds.fresh[place]))
        chosen.append(place)
    found = np.array(chosen, np.intp)
    return Slate(order[found], found - np.arange(len(found)))


def worse_of_near(kernel: Float32) -> Places:
    """Return which of p items, best first, are nearly the same as a better one that is not.

    kernel: float32 [p, p], their cosines. Items whose text is that of CROWD and more say too little
    to be told apart by it, such as a category's name: they are no duplicates.
    """
    near = are_near(kernel)
    crowded = near.sum(axis=1) >= CROWD
    near[crowded] = near[:, crowded] = False
    np.fill_diagonal(near, val=False)
    worse = np.zeros(len(kernel), np.bool_)
    for item in np.flatnonzero(near.any(axis=1)):
        if not worse[item]:
            worse[item + 1 :] |= near[item, item + 1 :]
    return np.flatnonzero(worse)
