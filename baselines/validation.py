"""Settings are chosen on each user's last known event; the test is never looked at."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from baselines.ranking import Scorer, ndcg, rank
from baselines.trial import Bool, Events, Int32, Int64, Requests, Trial

VALIDATION_USERS = 1_000
SECONDS_OF_SILENCE = 20

Settings = dict[str, Any]


@dataclass(frozen=True)
class Validation:
    """Known events with the validation event of some users, and all after it, left out.

    events: what is fitted on. requests, targets: int32 [V], what the settings are chosen by.
    """

    events: Events
    requests: Requests
    targets: Int32


def first_meetings(events: Events) -> Bool:
    """Return whether each event is its user's first with that item, bool [E]."""
    first = np.zeros(len(events), dtype=bool)
    pairs = np.stack([events.user, events.item], axis=1)
    first[np.unique(pairs, axis=0, return_index=True)[1]] = True
    return first


def targets_of(events: Events, users: int, repeat: bool) -> Int64:
    """Return the places of events that could be asked for: all but each user's very first.

    Unless items are recommended again, only a user's first event with an item is one.
    """
    wanted = np.ones(len(events), dtype=bool) if repeat else first_meetings(events)
    starts = events.starts(users)
    wanted[starts[:-1][np.diff(starts) > 0]] = False
    return np.flatnonzero(wanted)


def hold_out(trial: Trial, seed: int) -> Validation:
    """Hold out the last target of at most VALIDATION_USERS users, chosen by the seed."""
    known = trial.known
    places = targets_of(known, trial.users, trial.repeat)
    user = known.user[places]
    last = places[np.append(user[1:] != user[:-1], True)] if len(places) else places
    if len(last) > VALIDATION_USERS:
        last = np.sort(np.random.default_rng(seed).choice(last, VALIDATION_USERS, replace=False))
    until = np.full(trial.users, len(known))
    until[known.user[last]] = last
    keep = np.arange(len(known)) < until[known.user]
    requests = Requests.before(known, last, trial.users)
    return Validation(known.where(keep), requests, known.item[last])


def measure(scorer: Scorer, validation: Validation, trial: Trial) -> float:
    """Return the validation NDCG@10 of a system fitted on validation.events."""
    popularity = validation.events.popularity(trial.items)
    ranked, _ = rank(scorer, validation.requests, popularity, trial.repeat, depth=10)
    return ndcg(ranked, validation.targets)


def choose(
    fit: Callable[[Events, Trial, Settings, int], Scorer],
    grid: list[Settings],
    trial: Trial,
    seed: int,
) -> tuple[Settings, list[Settings]]:
    """Fit every setting of the grid; return the best by validation NDCG@10 and all that was seen.

    Of equals the earlier one wins. A setting is not tried where it is the only one.
    """
    if len(grid) == 1:
        return grid[0], []
    validation = hold_out(trial, seed)
    tried: list[Settings] = []
    for number, settings in enumerate(grid, 1):
        started = time.monotonic()
        scorer = fit(validation.events, trial, settings, seed)
        quality = measure(scorer, validation, trial)
        seconds = round(time.monotonic() - started, 2)
        tried.append({"settings": settings, "ndcg@10": quality, "seconds": seconds})
        print(f"  {number}/{len(grid)} {settings}: {quality:.4f} in {seconds:.1f}s", flush=True)
    return max(tried, key=lambda row: row["ndcg@10"])["settings"], tried


@dataclass(frozen=True)
class Epochs:
    """A system trained in epochs is measured after every `step`, for `most` epochs at most.

    It ends earlier where `patience` measures in a row bring nothing better.
    """

    step: int
    most: int
    patience: int


def choose_epochs(
    train: Callable[[Events, Trial, Settings, int], Iterator[Scorer]],
    grid: list[Settings],
    epochs: Epochs,
    trial: Trial,
    seed: int,
) -> tuple[Settings, list[Settings]]:
    """Train every setting of the grid with early stopping; the chosen setting names its epochs.

    train: yields a scorer after every epochs.step epochs, without end.
    """
    validation = hold_out(trial, seed)
    tried: list[Settings] = []
    for number, settings in enumerate(grid, 1):
        started = said = time.monotonic()
        curve: list[float] = []
        for scorer in train(validation.events, trial, settings, seed):
            curve.append(measure(scorer, validation, trial))
            best = int(np.argmax(curve))
            if time.monotonic() - said > SECONDS_OF_SILENCE:
                print(f"    {len(curve) * epochs.step} epochs: {curve[-1]:.4f}", flush=True)
                said = time.monotonic()
            if len(curve) * epochs.step >= epochs.most or len(curve) - 1 - best >= epochs.patience:
                break
        seconds = round(time.monotonic() - started, 2)
        chosen = {**settings, "epochs": (best + 1) * epochs.step}
        tried.append({"settings": chosen, "ndcg@10": curve[best], "seconds": seconds})
        print(f"  {number}/{len(grid)} {chosen}: {curve[best]:.4f} in {seconds:.1f}s", flush=True)
    return max(tried, key=lambda row: row["ndcg@10"])["settings"], tried


def after(scorers: Iterator[Scorer], step: int, epochs: int) -> Scorer:
    """Return the scorer of a training after `epochs`, from one that yields after every `step`."""
    return next(islice(scorers, epochs // step - 1, None))
