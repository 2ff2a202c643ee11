"""Places of the slate that new items get to show what they are worth: Thompson sampling.

Of a new item little is known but what the model makes of its text. Each has a Beta distribution of
its chance to be taken: the model's probability as so many trials, and the trials that it has had.
One draw of each decides, so that what may be good is tried, and what has failed is left (Thompson,
Biometrika 1933; Chapelle and Li, "An Empirical Evaluation of Thompson Sampling", NIPS 2011).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.chance import seed_of
from ranking_service.selector.select import Slate
from tandem.v1.ranking_service_pb2 import RankRequest

Float32 = npt.NDArray[np.float32]
# What the model says counts as so many trials.
PRIOR_TRIALS = 10.0
DRAWS = 256


def explore(
    slate: Slate, request: RankRequest, item_ids: Sequence[str], values: Float32, chances: Float32
) -> tuple[Slate, dict[int, float]]:
    """Return the slate with new items in the places that the request names.

    item_ids: of n candidates. values: float32 [n], by which they are ordered. chances: float32 [n],
    of being taken. Also returned: by candidate that stands there for exploration, with what
    probability it was the one that was drawn. New items that made the slate by themselves stay.
    """
    asked = request.exploration
    if not asked.positions:
        return slate, {}
    places: list[int] = slate.places.tolist()
    trials, chosen_already = {trial.item_id: trial for trial in asked.trials}, set(places)
    new = [n for n, i in enumerate(item_ids) if i in trials and n not in chosen_already]
    random = np.random.default_rng(seed_of(request.user.user_id, request.context.request_time))
    explored: dict[int, float] = {}
    for position in asked.positions:
        left = [n for n in new if n not in explored]
        if not left or position > len(places):
            break
        told = [trials[item_ids[n]] for n in left]
        taken = np.array([trial.taken_count for trial in told], np.float64)
        shown = np.array([trial.shown_count for trial in told], np.float64)
        prior = np.clip(chances[left].astype(np.float64), 1e-4, 1 - 1e-4) * PRIOR_TRIALS
        missed = np.maximum(shown - taken, 0.0) + PRIOR_TRIALS - prior
        draws = random.beta(prior + taken, missed, (DRAWS, len(left))).argmax(axis=1)
        chosen = left[int(draws[0])]
        explored[chosen] = float((draws == draws[0]).mean())
        places.insert(position - 1, chosen)
        del places[len(slate.places) :]
    return Slate(np.array(places, np.intp), _shifts(places, values)), explored


def _shifts(places: Sequence[int], values: Float32) -> npt.NDArray[np.int64]:
    """Return by how many places each stands higher than by value alone."""
    sunk = np.where(np.isfinite(values), values, -np.inf)
    standing = np.empty(len(values), np.int64)
    standing[np.argsort(-sunk, kind="stable")] = np.arange(len(values))
    return standing[list(places)] - np.arange(len(places))
