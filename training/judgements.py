"""Events of which it is known how they ended, for the ranker to learn liking from disliking.

What is judged is the item alone: no source is asked, so that every event can be learned from, those
that collaborative filtering was fitted on as well.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from features.candidate_items import items_of_rows
from features.candidates import FEATURES, HIT_FEATURES, SOURCES, own_features, without_sources
from features.context import context_features
from training.examples import Example, ExampleMaker
from training.ratings import quality_without
from training.sources import Found
from training.split import Split
from training.targets import Target

QUALITY = FEATURES.index("item_quality")


def judged_targets(
    split: Split, known: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64], most: int, seed: int
) -> list[Target]:
    """Return events before each user's validation and test whose outcome is known.

    known: bool [events], starts: int64 [users + 1]. Whole users are drawn until there are `most`.
    """
    targets: list[Target] = []
    for user in np.random.default_rng(seed).permutation(len(starts) - 1).tolist():
        if len(targets) >= most:
            break
        held = [int(place) for place in (split.valid[user], split.test[user]) if place >= 0]
        own = known[starts[user] : starts[user + 1]][: min(held, default=None)]
        places = np.flatnonzero(own)
        targets += [Target(user, int(place)) for place in places if place > 0]
    return targets


def judgements(
    maker: ExampleMaker, targets: list[Target], fit_counts: npt.NDArray[np.int64]
) -> Iterator[Example]:
    """Yield an example with its target as the only candidate, which no source found.

    fit_counts: int64 [users], how many events of each user the models were fitted on: what an
    item's quality owes to the event itself is taken off.
    """
    nothing = np.zeros((1, len(SOURCES)), np.float32)
    hits = np.zeros((1, len(HIT_FEATURES)), np.float32)
    for target in targets:
        event = maker.interactions.of(target.user)[target.place : target.place + 1]
        view = maker.view(target, None)
        own = own_features(
            maker.tables,
            view,
            items_of_rows(
                maker.tables.items, maker.tables.tags, maker.tables.tastes, event.rows, view.heard
            ),
        )
        features = without_sources(np.concatenate([hits, own], axis=1))
        rating = float(event.ratings[0])
        if target.place < fit_counts[target.user] and np.isfinite(rating):
            quality = quality_without(maker.tables.ratings, int(event.rows[0]), rating)
            features[0, QUALITY] = quality
        yield Example(
            target,
            Found(event.rows, nothing, nothing.astype(np.int32)),
            view.tower_vector,
            features.astype(np.float16),
            context_features(maker.history(target), view.moment, words_weight=0.0),
            found_at=0,
        )
