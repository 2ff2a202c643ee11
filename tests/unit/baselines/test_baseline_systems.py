"""The baselines that need no library beyond those of the main environment."""

from pathlib import Path

import numpy as np
import pytest

from baselines import ease, ials, most_visited, popular
from baselines import trial as trials
from baselines.trial import Events, NotApplicable, Requests, Trial
from tests.support.trial import trial_arrays, write_trial

DAY_MS = 86_400_000


def load(folder: Path, **settings: bool | int) -> Trial:
    return trials.load(write_trial(folder / "trial.npz", trial_arrays(**settings)))


def test_a_week_of_popularity_ends_at_the_request(tmp_path: Path) -> None:
    trial = load(tmp_path)
    item = np.array([5, 6, 7, 7], np.int32)
    days = np.array([0, 7, 8, 1])
    known = Events(np.arange(4, dtype=np.int32), item, days * DAY_MS)
    one = np.zeros(1, np.int32)
    asked = Requests(one, np.array([8 * DAY_MS]), np.array([0, 0]), one[:0], days[:0])
    scores = popular.fit_week(known, trial, {}, 0)(asked)[0]
    # Days 1 and 7 count, day 0 is over a week ago, day 8 is the request itself.
    assert np.floor(scores[[5, 6, 7]]).tolist() == [0, 1, 1]
    assert scores[7] > scores[6] > scores[5] > scores[4], "all time breaks ties"


@pytest.mark.parametrize("users", [60, 140])
def test_ease_is_the_closed_form_whichever_way_it_is_solved(tmp_path: Path, users: int) -> None:
    trial = load(tmp_path, users=users)
    binary = trial.known.matrix(trial.users, trial.items).toarray()
    inverse = np.linalg.inv(binary.T @ binary + 20.0 * np.eye(trial.items))
    weights = np.eye(trial.items) - inverse / np.diag(inverse)
    expected = (trial.requests.matrix(trial.items).toarray() > 0) @ weights
    never = trial.known.popularity(trial.items) == 0
    expected[:, never] = 0.0
    scores = ease.fit(trial.known, trial, {"l2": 20.0}, 0)(trial.requests)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_ease_refuses_what_would_not_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = load(tmp_path)
    monkeypatch.setattr(ease, "LARGEST", 30)
    with pytest.raises(NotApplicable, match="more than 30 x 30"):
        ease.fit(trial.known, trial, {"l2": 20.0}, 0)


def test_ials_reads_the_history_of_the_request_not_the_user(tmp_path: Path) -> None:
    trial = load(tmp_path)
    settings = {"factors": 8, "regularization": 1.0, "alpha": 4.0, "iterations": 5}
    scorer = ials.fit(trial.known, trial, settings, 1)
    asked = trial.requests
    strangers = Requests(
        np.roll(asked.user, 1), asked.time_ms, asked.start, asked.item, asked.item_time_ms
    )
    np.testing.assert_array_equal(scorer(asked), scorer(strangers))
    taste = scorer(asked)[0].reshape(4, -1).mean(axis=1)
    assert taste.argmax() == 0, "the first user keeps to the first quarter of the items"


def test_items_that_were_never_met_come_last(tmp_path: Path) -> None:
    trial = load(tmp_path)
    known = trial.known.where(trial.known.item != 3)
    settings = {"factors": 8, "regularization": 1.0, "alpha": 4.0, "iterations": 5}
    scores = ials.fit(known, trial, settings, 1)(trial.requests)
    assert (scores.argmin(axis=1) == 3).all()


def test_the_own_past_goes_by_count_then_by_how_recent(tmp_path: Path) -> None:
    trial = load(tmp_path, repeat=True)
    history = np.array([1, 2, 2, 3, 1, 4], np.int32)
    one = np.zeros(1, np.int64)
    asked = Requests(one.astype(np.int32), one, np.array([0, 6]), history, history.astype(np.int64))
    scores = most_visited.fit(trial.known, trial, {}, 0)(asked)[0]
    assert np.argsort(-scores, kind="stable")[:4].tolist() == [1, 2, 4, 3]


def test_the_own_past_is_no_answer_where_items_do_not_repeat(tmp_path: Path) -> None:
    trial = load(tmp_path)
    with pytest.raises(NotApplicable, match="own past"):
        most_visited.fit(trial.known, trial, {}, 0)
