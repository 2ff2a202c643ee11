"""Lists that were shown, for the ranker to learn what people take of what they see.

Candidates that nobody was shown tell what is popular with a user; lists that were shown tell what
the user passed over. What was taken from a list is learned from there alone: that it was shown at
all was the choice of the release that served, and who learned from that would learn to choose as it
did. Their features are those that the ranker read when it made the list, so that
it learns from the very numbers that it is served.

Where clients report what was looked at, by `impression` events, the rest of a list says nothing:
who did not look did not pass over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.candidates import FEATURES, SOURCES
from features.context import context_features
from features.moment import moment_after
from training.datasets.format import FEATURE_PREFIX
from training.examples import Example, ExampleMaker
from training.sources import Found
from training.split import Split
from training.targets import Target

TAKEN = ("view", "click", "like", "purchase", "rate")
LOOKED_AT, UNKNOWN = "impression", ""
# Of one user in so many, lists are kept to compare releases by.
HELD_EVERY = 4


@dataclass(frozen=True)
class Shown(Example):
    """A list as it was shown, with one item that was taken; others that were taken are left out.

    positions: int64 [C], where each item stood, from 1; 1 for all where it is known which were
    looked at, so that it does not matter. time_ms: Unix milliseconds, when.
    """

    positions: npt.NDArray[np.int64]
    time_ms: int


def shown_lists(maker: ExampleMaker, impressions: pd.DataFrame, split: Split) -> Iterator[Shown]:
    """Yield an example for each item that was taken from a list, if any item was passed over.

    impressions: of a data set. Left out are lists whose features were not logged, those that show
    what is held out, and those of the users who are kept for `held_lists`.
    """
    yield from _lists(maker, impressions, split, held=False)


def held_lists(maker: ExampleMaker, impressions: pd.DataFrame, split: Split) -> Iterator[Shown]:
    """Yield the lists of the users whose lists are not learned from, one user in four."""
    yield from _lists(maker, impressions, split, held=True)


def _lists(
    maker: ExampleMaker, impressions: pd.DataFrame, split: Split, *, held: bool
) -> Iterator[Shown]:
    if impressions.empty:
        return
    features = logged_features(impressions)
    order = np.argsort(impressions["impression_id"].to_numpy(), kind="stable")
    lists = impressions["impression_id"].to_numpy()[order]
    actions = impressions["action"].to_numpy()
    taken, looks = np.isin(actions, TAKEN), bool((actions == LOOKED_AT).any())
    logged = np.asarray(np.isfinite(features).all(axis=1), np.bool_)
    for rows in np.split(order, np.flatnonzero(np.diff(lists)) + 1):
        rows = rows[logged[rows]]
        if looks:
            rows = rows[actions[rows] != UNKNOWN]
        if taken[rows].any() and not taken[rows].all():
            some = impressions.iloc[rows]
            target = _target(maker, some)
            if (target.user % HELD_EVERY == 0) == held and not _tells(
                maker, target, some["item_id"].to_numpy(), split
            ):
                positions = some["position"].to_numpy(np.int64)
                if looks:
                    positions = np.ones_like(positions)
                yield from _examples(maker, target, some, positions, features[rows], taken[rows])


def logged_features(impressions: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return FEATURES as they were logged, float32 [rows, features], NaN where they were not.

    A feature that the release behind a list did not know is 0 there, as where nothing is known.
    """
    names = [FEATURE_PREFIX + name for name in FEATURES]
    known = [name for name in names if name in impressions.columns]
    if not known:
        return np.full((len(impressions), len(names)), np.nan, np.float32)
    unlogged = impressions[known].isna().all(axis=1)
    values = impressions.reindex(columns=names).fillna(0.0).to_numpy(np.float32, copy=True)
    values[unlogged] = np.nan
    return values


def _target(maker: ExampleMaker, impressions: pd.DataFrame) -> Target:
    """Return a list's user, and the place of their first event that is not before it."""
    user, time_ms = int(impressions["user_id"].iloc[0]), int(impressions["timestamp"].iloc[0])
    place = int(np.searchsorted(maker.interactions.of(user).times_ms, time_ms))
    return Target(user, place, *maker.words.known(user, place))


def _tells(maker: ExampleMaker, target: Target, items: npt.NDArray[np.int32], split: Split) -> bool:
    """Return whether a list shows what is held out of its user's events."""
    rows = maker.interactions.of(target.user).rows
    held = [int(p) for p in (split.valid[target.user], split.test[target.user]) if p >= 0]
    return bool(np.isin(rows[[place for place in held if place < len(rows)]], items).any())


def _examples(
    maker: ExampleMaker,
    target: Target,
    impressions: pd.DataFrame,
    positions: npt.NDArray[np.int64],
    features: npt.NDArray[np.float32],
    taken: npt.NDArray[np.bool_],
) -> Iterator[Shown]:
    """Yield the examples of one list."""
    rows = impressions["item_id"].to_numpy(np.int32)
    history = maker.history(target)
    time_ms = int(impressions["timestamp"].iloc[0])
    moment = moment_after(history, time_ms)
    context = context_features(history, moment, target.words_weight)
    for one in np.flatnonzero(taken).tolist():
        kept = ~taken
        kept[one] = True
        nothing = np.zeros((int(kept.sum()), len(SOURCES)), np.float32)
        yield Shown(
            target,
            Found(rows[kept], nothing, nothing.astype(np.int32)).compact(),
            np.zeros(maker.tables.tower.width, np.float32),
            features[kept].astype(np.float16),
            context,
            found_at=int(kept[:one].sum()),
            positions=positions[kept],
            time_ms=time_ms,
        )
