"""Events that lists brought about are no targets, unless there is hardly anything else."""

import numpy as np
import pandas as pd

from tests.unit.training.test_split import events
from training.brought import brought_about, no_targets
from training.interactions import Interactions
from training.settings import TrainSettings
from training.split import leave_last_out

# Two users with events at 0, 1, 2, ... ms, with items 10 to 19 and 10 to 14.
KNOWN = Interactions(
    events([*range(10, 20), *range(10, 15)]), np.array([0, 10, 15]), 20, np.arange(15)
)


def taken(*rows: tuple[int, int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "action"])


def test_an_event_is_of_a_list_if_its_user_took_the_item_from_one_before() -> None:
    impressions = taken(
        (0, 19, 8, "view"),
        # Shown after it was used, not taken, and another user's.
        (0, 12, 5, "like"),
        (0, 13, 1, "impression"),
        (1, 18, 0, "view"),
        (1, 14, 14, "purchase"),
    )
    assert np.flatnonzero(brought_about(KNOWN, impressions)).tolist() == [9, 14]
    assert not brought_about(KNOWN, pd.DataFrame()).any()


def test_where_nearly_all_came_about_by_lists_they_count_like_others() -> None:
    everything = [
        (user, int(row), 0, "view")
        for user in range(2)
        for row in KNOWN.of(user).rows
        if (user, row) != (0, 10)
    ]
    assert brought_about(KNOWN, taken(*everything)).sum() == 14
    assert not no_targets(KNOWN, taken(*everything)).any()
    assert no_targets(KNOWN, taken(*everything[1:])).sum() == 13


def test_what_a_list_brought_about_is_no_target() -> None:
    brought = no_targets(KNOWN, taken((0, 19, 8, "view"), (0, 17, 6, "view")))
    split = leave_last_out(KNOWN, False, TrainSettings(window_least=2), brought=brought)
    assert split.test.tolist() == [8, 4]
    assert split.valid.tolist() == [6, 3]
    assert 7 not in split.window[0]
