"""Which events came about by lists that were shown."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.interactions import Interactions
from training.shown import TAKEN

# Where fewer events than this came about otherwise, there is nothing else to learn from.
OTHERS_LEAST = 0.1


def brought_about(known: Interactions, impressions: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which events, bool [events], are with what the user took from a list before."""
    if impressions.empty:
        return np.zeros(len(known.events), np.bool_)
    taken = impressions[impressions["action"].isin(TAKEN)]
    shown = taken["user_id"].to_numpy(np.int64) * known.items + taken["item_id"].to_numpy(np.int64)
    first = pd.Series(taken["timestamp"].to_numpy(np.int64)).groupby(shown).min()
    pairs = known.user_rows() * known.items + known.events.rows
    since = first.reindex(pairs).to_numpy(np.float64)
    # Of pairs that no list has, nothing is later than never.
    brought: npt.NDArray[np.bool_] = known.events.times_ms >= np.where(
        np.isnan(since), np.inf, since
    )
    return brought


def no_targets(known: Interactions, impressions: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which events, bool [events], are not to be learned from as if found by oneself.

    Those that lists brought about; but none, where nearly all are: then lists are all that is known
    of what people want.
    """
    brought = brought_about(known, impressions)
    return brought if (~brought).mean() >= OTHERS_LEAST else np.zeros_like(brought)
