"""A trial of a made-up world: four tastes, and users who keep to one of them."""

from pathlib import Path
from typing import Any

import numpy as np

GROUPS, GROUP_ITEMS = 4, 25


def trial_arrays(users: int = 60, seed: int = 1, repeat: bool = False) -> dict[str, Any]:
    """Return the arrays of a trial file; each user's last event is the request's target."""
    rng = np.random.default_rng(seed)
    user, item, time_ms = [], [], []
    for number in range(users):
        count = int(rng.integers(4, 14))
        taste = GROUP_ITEMS * (number % GROUPS)
        met = rng.choice(GROUP_ITEMS, count, replace=repeat) + taste
        user += [number] * count
        item += met.tolist()
        time_ms += np.sort(rng.integers(0, 60 * 86_400_000, count)).tolist()
    users_of, items_of = np.array(user, np.int32), np.array(item, np.int32)
    times = np.array(time_ms, np.int64)
    place = np.arange(len(users_of))
    tested = np.append(users_of[1:] != users_of[:-1], True)
    starts = np.searchsorted(users_of, np.arange(users))
    history = place[~tested]
    # Even items are liked more often than odd ones.
    label = (rng.random(len(users_of)) < np.where(items_of % 2, 0.2, 0.8)).astype(np.float32)
    return {
        "users": np.int64(users),
        "items": np.int64(GROUPS * GROUP_ITEMS),
        "repeat": np.bool_(repeat),
        "known_user": users_of[~tested],
        "known_item": items_of[~tested],
        "known_time_ms": times[~tested],
        "known_label": label[~tested],
        "labelled_known_user": users_of[~tested],
        "labelled_known_item": items_of[~tested],
        "labelled_known_time_ms": times[~tested],
        "labelled_known_label": label[~tested],
        "request_user": users_of[tested],
        "request_time_ms": times[tested],
        "request_target": items_of[tested],
        "history_start": np.append(0, np.cumsum(place[tested] - starts)).astype(np.int64),
        "history_item": items_of[history],
        "history_time_ms": times[history],
        "score_user": users_of[tested],
        "score_item": items_of[tested],
        "score_time_ms": times[tested],
    }


def write_trial(path: Path, arrays: dict[str, Any]) -> Path:
    """Write a trial file, without the targets: no system needs them."""
    np.savez(path, **{name: value for name, value in arrays.items() if name != "request_target"})
    return path
