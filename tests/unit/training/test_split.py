import numpy as np

from features.events import EventArrays
from tandem.v1.event_pb2 import Action
from training.interactions import Interactions
from training.settings import TrainSettings
from training.split import leave_last_out, targets_of


def events(rows: list[int], actions: list[int] | None = None) -> EventArrays:
    count = len(rows)
    return EventArrays(
        rows=np.array(rows, np.int32),
        actions=np.array(actions or [Action.ACTION_VIEW] * count, np.int32),
        times_ms=np.arange(count, dtype=np.int64),
        ratings=np.full(count, np.nan, np.float32),
        offsets_min=np.zeros(count, np.int32),
        latitudes=np.full(count, np.nan, np.float32),
        longitudes=np.full(count, np.nan, np.float32),
    )


def test_the_first_event_is_no_target() -> None:
    assert targets_of(events([4, 5, 6]), repeat=False).tolist() == [1, 2]


def test_a_second_event_with_an_item_is_a_target_only_where_people_return() -> None:
    assert targets_of(events([4, 5, 5, 4]), repeat=False).tolist() == [1]
    assert targets_of(events([4, 5, 5, 4]), repeat=True).tolist() == [1, 2, 3]


def test_a_dismissal_is_no_target() -> None:
    actions = [Action.ACTION_VIEW, Action.ACTION_DISMISS, Action.ACTION_LIKE]
    assert targets_of(events([1, 2, 3], actions), repeat=False).tolist() == [2]


def test_nothing_that_is_tested_on_is_fitted_on() -> None:
    one = events(list(range(20)))
    split = leave_last_out(
        Interactions(one, np.array([0, 20]), 20, np.arange(20)),
        False,
        TrainSettings(window_least=4),
    )
    assert split.test.tolist() == [19]
    assert split.valid.tolist() == [18]
    assert split.window[0].tolist() == [14, 15, 16, 17]
    assert split.fit_counts.tolist() == [14]


def test_users_with_little_history_keep_what_they_have() -> None:
    everyone = Interactions(events([1, 2, 3, 4, 5]), np.array([0, 1, 1, 3, 5]), 6, np.arange(5))
    split = leave_last_out(everyone, False, TrainSettings())
    assert split.test.tolist() == [-1, -1, 1, 1]
    assert split.valid.tolist() == [-1, -1, -1, -1]
    assert split.fit_counts.tolist() == [1, 0, 1, 1]


def test_the_first_events_of_each_user_are_kept_in_order() -> None:
    everyone = Interactions(events([1, 2, 3, 4, 5]), np.array([0, 2, 2, 5]), 6, np.arange(5))
    kept = everyone.first(np.array([1, 0, 2]))
    assert kept.events.rows.tolist() == [1, 3, 4]
    assert kept.starts.tolist() == [0, 1, 1, 3]
    assert kept.file_rows.tolist() == [0, 2, 3]
