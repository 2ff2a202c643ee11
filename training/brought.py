"""Which events came about by lists that were shown."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.interactions import Interactions
from training.shown import TAKEN

# Where fewer events than this came about otherwise, there is nothing else to learn from.
OTHERS_LEAST = 0.1


def brought_about(known: Interactions, impressions: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which events, bool [events], are with an item that the user took from a list before.

    None of them, where nearly all are: then lists are all that is known of what people want.
    """
    nothing = np.zeros(len(known.events), np.bool_)
    if impressions.empty:
        return nothing
    taken = impressions[impressions["action"].isin(TAKEN)]
    shown = taken["user_id"].to_numpy(np.int64) * known.items + taken["item_id"].to_numpy(np.int64)
    first = pd.Series(taken["timestamp"].to_numpy(np.int64)).groupby(shown).min()
    pairs = known.user_rows() * known.items + known.events.rows
    since = first.reindex(pairs).to_numpy(np.float64)
    # Of pairs that no list has, nothing is later than never.
    brought = known.events.times_ms >= np.where(np.isnan(since), np.inf, since)
    return brought if (~brought).mean() >= OTHERS_LEAST else nothing
