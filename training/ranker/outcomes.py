"""What the ranker learns to predict of an event besides that it happened."""

import numpy as np
import numpy.typing as npt

from features.events import EventArrays
from models.ranker.value import RATING
from tandem.v1.event_pb2 import Action
from training.ratings import mean_and_scale

# A rating of four fifths of the scale's top or more is a like: 4 of 5, 8 of 10.
LIKE_SHARE = 0.8
# Ratings of this many different values are a scale, and not the words yes and no.
SCALE = 3
FEWEST = 50


def outcome_labels(events: EventArrays, rating_top: float) -> dict[str, npt.NDArray[np.float32]]:
    """Return labels by outcome, float32 [events]: 1, 0, or NaN where nothing is known.

    "like" and "purchase" are given that the user engaged. Outcomes of which the data hold fewer
    than FEWEST examples of either kind are left out. "rating", the last, is in standard deviations
    from the mean of all ratings.
    """
    actions = events.actions
    rated = np.isfinite(events.ratings)
    liked = (actions == Action.ACTION_LIKE) | (actions == Action.ACTION_PURCHASE)
    liked |= rated & (events.ratings >= LIKE_SHARE * rating_top)
    informative = rated if rated.any() else np.ones(len(events), dtype=bool)
    labels = {
        "like": np.where(informative | liked, liked, np.nan).astype(np.float32),
        "purchase": (actions == Action.ACTION_PURCHASE).astype(np.float32),
    }
    known = {
        name: values
        for name, values in labels.items()
        if min((values == 0).sum(), (values == 1).sum()) >= FEWEST
    }
    if rated.sum() >= FEWEST and len(np.unique(events.ratings[rated])) >= SCALE:
        mean, scale = mean_and_scale(events.ratings)
        known[RATING] = ((events.ratings - mean) / scale).astype(np.float32)
    return known
