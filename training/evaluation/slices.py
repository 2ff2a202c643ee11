"""Parts of the requests that are reported apart."""

import numpy as np
import numpy.typing as npt

from training.evaluation.trial import Trial

Bool = npt.NDArray[np.bool_]
GROUPS_MOST = 20
FEWEST = 10


def slices_of(trial: Trial) -> dict[str, Bool]:
    """Return the parts by name, bool [R]: by history length, by item popularity, by group.

    Popularity by thirds of the known events: the most popular items that a third of the events went
    to are the head; `new` are items without a known event. Of groups the largest are named.
    """
    lengths = np.diff(trial.histories(trial.requests)[0])
    slices = {
        "history:0": lengths == 0,
        "history:1-4": (lengths >= 1) & (lengths <= 4),
        "history:5+": lengths >= 5,
    }
    popularity = trial.popularity()
    thirds = popularity_thirds(popularity)[trial.requests.items]
    new = popularity[trial.requests.items] == 0
    for third, name in enumerate(("head", "middle", "tail")):
        slices[f"items:{name}"] = (thirds == third) & ~new
    slices["items:new"] = new
    groups = trial.dataset.users["group"].to_numpy()[trial.requests.users]
    names, counts = np.unique(groups.astype(str), return_counts=True)
    for place in np.argsort(-counts, kind="stable")[:GROUPS_MOST]:
        if names[place] and counts[place] >= FEWEST:
            slices[f"group:{names[place]}"] = groups == names[place]
    return slices


def popularity_thirds(popularity: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return 0, 1 or 2 for each item: the third of all events at which it begins, popular first."""
    order = np.argsort(-popularity, kind="stable")
    before = np.cumsum(popularity[order]) - popularity[order]
    thirds = np.zeros(len(popularity), np.int64)
    thirds[order] = np.minimum(before * 3 // max(popularity.sum(), 1), 2)
    return thirds
