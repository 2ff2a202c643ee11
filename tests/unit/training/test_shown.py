"""Lists that were shown: what was taken against what was passed over, and nothing held out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from features.candidates import FEATURES
from features.events import EventArrays
from training.shown import held_lists, shown_lists
from training.split import NONE, Split
from training.words import NO_WORDS

# One user took items 10, 11, 12, 13 at 100, 200, 300, 400 seconds.
TAKEN_ROWS = np.array([10, 11, 12, 13], np.int32)
TIMES_MS = np.array([100, 200, 300, 400], np.int64) * 1_000


def events() -> EventArrays:
    unknown = np.full(4, np.nan, np.float32)
    zeros = np.zeros(4, np.int32)
    return EventArrays(TAKEN_ROWS, zeros + 2, TIMES_MS, unknown, zeros, unknown, unknown)


def maker() -> SimpleNamespace:
    return SimpleNamespace(
        interactions=SimpleNamespace(of=lambda user: events()),
        words=SimpleNamespace(known=lambda user, place: (NO_WORDS, 0.0)),
        history=lambda target: events()[: target.place],
        tables=SimpleNamespace(tower=SimpleNamespace(width=4)),
    )


def split(*, valid: int = NONE, test: int = NONE) -> Split:
    nobody = np.array([NONE])
    return Split(
        np.append(nobody, test),
        np.append(nobody, valid),
        [np.empty(0, np.int64)] * 2,
        np.array([0, 4]),
    )


def listing(
    list_id: int, second: int, items: dict[int, str], *, logged: bool = True
) -> pd.DataFrame:
    """Return a list asked for at a second; items: by row, what was done with each."""
    rows = {
        "impression_id": list_id,
        "user_id": 1,
        "item_id": list(items),
        "timestamp": second * 1_000,
        "position": np.arange(1, len(items) + 1),
        "propensity": 1.0,
        "action": list(items.values()),
    }
    value = 0.5 if logged else np.nan
    return pd.DataFrame({**rows, **{f"feature:{name}": value for name in FEATURES}})


def test_each_item_that_was_taken_is_set_against_those_that_were_not() -> None:
    shown = listing(1, 150, {11: "view", 50: "", 12: "like", 51: "dismiss"})
    first, second = shown_lists(maker(), shown, split())  # type: ignore[arg-type]
    assert first.rows.tolist() == [11, 50, 51]
    assert first.positions.tolist() == [1, 2, 4]
    assert (first.found_at, second.found_at) == (0, 1)
    assert second.rows.tolist() == [50, 12, 51]
    # What is read of the user is what was known when the list was asked for.
    assert (first.target.place, first.time_ms) == (1, 150_000)
    assert first.features.shape == (3, len(FEATURES))
    assert (first.features == 0.5).all()


def test_where_looks_are_reported_what_was_not_looked_at_says_nothing() -> None:
    shown = pd.concat(
        [
            listing(1, 150, {11: "view", 50: "impression", 12: "like", 51: "", 52: ""}),
            listing(2, 160, {11: "view", 53: ""}),
        ]
    )
    first, second = shown_lists(maker(), shown, split())  # type: ignore[arg-type]
    assert first.rows.tolist() == [11, 50]
    assert second.rows.tolist() == [50, 12]
    # Of two that were looked at it does not matter where they stood.
    assert first.positions.tolist() == second.positions.tolist() == [1, 1]


def test_lists_that_say_nothing_are_left_out() -> None:
    nothing = [
        listing(1, 150, {50: "", 51: ""}),
        listing(2, 150, {11: "view"}),
        listing(3, 150, {11: "view", 50: ""}, logged=False),
    ]
    assert not list(shown_lists(maker(), pd.concat(nothing), split()))  # type: ignore[arg-type]
    assert not list(shown_lists(maker(), pd.DataFrame(), split()))  # type: ignore[arg-type]


def test_nothing_is_learned_of_what_is_held_out() -> None:
    lists = pd.concat(
        [
            listing(1, 50, {10: "view", 50: ""}),
            # It shows the test event's item, long before.
            listing(2, 150, {11: "view", 13: ""}),
            listing(3, 500, {60: "view", 50: ""}),
        ]
    )
    held = split(valid=2, test=3)
    learned = [one.time_ms for one in shown_lists(maker(), lists, held)]  # type: ignore[arg-type]
    assert learned == [50_000, 500_000]
    without = [one.time_ms for one in shown_lists(maker(), lists, split())]  # type: ignore[arg-type]
    assert without == [50_000, 150_000, 500_000]


def test_the_lists_of_one_user_in_four_are_kept_to_compare_by() -> None:
    lists = pd.concat([listing(n, 150, {11: "view", 50: ""}).assign(user_id=n) for n in range(8)])
    everyone = Split(np.full(8, 3), np.full(8, NONE), [], np.empty(0, np.int64))
    learned = shown_lists(maker(), lists, everyone)  # type: ignore[arg-type]
    held = held_lists(maker(), lists, everyone)  # type: ignore[arg-type]
    assert [one.target.user for one in learned] == [1, 2, 3, 5, 6, 7]
    assert [one.target.user for one in held] == [0, 4]
