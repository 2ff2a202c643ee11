"""What single items of the history do to the scores of a slate, by taking them away.

Attention tells where a model looks, not what it would say otherwise; so the slate is scored again
without the item, in one batch for several items. The candidates' hits and the user tower's vector
stay as they are: they came from the history as it is.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.history import weights_of_actions
from ranking_service.item_features import RankInput, pack
from ranking_service.loaded_release import LoadedRelease
from ranking_service.looked_up import Float32
from ranking_service.scorer import engage_logits, text_weight_of
from tandem.v1.candidate_pb2 import Influence
from tandem.v1.ranking_service_pb2 import RankRequest

MOST = 3


def influences(
    loaded: LoadedRelease,
    request: RankRequest,
    found: RankInput,
    chosen: Sequence[int],
    logits: Float32,
    tried: int,
) -> list[list[Influence]]:
    """Return for each chosen candidate what weighs most for it among `tried` items of the history.

    chosen: places of candidates. logits: float32 [chosen], of engagement with the whole history.
    Only what makes a logit greater is told, greatest first.
    """
    liked = likely_items(loaded, request, found, chosen, tried)
    if not liked or not chosen:
        return [[] for _ in chosen]
    falls = logits - logits_without(loaded, request, found, chosen, liked)
    told = []
    for place in range(len(chosen)):
        order = np.argsort(-falls[:, place], kind="stable")[:MOST]
        told.append(
            [
                Influence(item_id=liked[row], logit=float(falls[row, place]))
                for row in order.tolist()
                if falls[row, place] > 0
            ]
        )
    return told


def logits_without(
    loaded: LoadedRelease,
    request: RankRequest,
    found: RankInput,
    chosen: Sequence[int],
    item_ids: Sequence[str],
) -> Float32:
    """Return the engagement logits of chosen candidates with each item taken from the history,
    float32 [items, chosen].
    """
    less = [found.without(item_id, chosen) for item_id in item_ids]
    users = [pack(loaded, request, each) for each in less]
    return engage_logits(loaded, users, text_weight_of(request)).reshape(len(less), len(chosen))


def likely_items(
    loaded: LoadedRelease, request: RankRequest, found: RankInput, chosen: Sequence[int], most: int
) -> list[str]:
    """Return the liked items of the history that are nearest to the chosen candidates.

    By texts, and by collaborative filtering: each candidate names its nearest of either kind, and
    those that are named most often are tried.
    """
    events = found.events
    liked = np.flatnonzero(weights_of_actions(events.actions) > 0)
    # Beyond its longest history the language model reads nothing.
    liked = liked[-loaded.ranker.config.max_history :]
    if not len(liked):
        return []
    places = np.asarray(chosen, np.int64)
    vectors = found.vectors[places]
    by_text = vectors @ found.event_vectors[liked].T
    rows = loaded.tables.items.rows(found.candidates[place].item_id for place in chosen)
    by_others = _directions(loaded, rows) @ _directions(loaded, events.rows[liked]).T
    names = [request.user.history[at].item_id for at in liked.tolist()]
    named: Counter[str] = Counter()
    for likeness in (by_text, by_others):
        # An item that the release does not know is like none.
        for row in likeness[np.abs(likeness).max(axis=1) > 0]:
            named[names[int(row.argmax())]] += 1
    return [item_id for item_id, _ in named.most_common(most)]


def _directions(loaded: LoadedRelease, rows: npt.NDArray[np.int32]) -> Float32:
    """Return the item factors of rows as unit vectors, float32 [n, width], zeros for unknown."""
    factors = loaded.tables.cf.item_factors[np.maximum(rows, 0)] * (rows >= 0)[:, None]
    lengths = np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    return np.asarray(factors / lengths, np.float32)
