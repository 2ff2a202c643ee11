"""Lists, and the events that settings are chosen by."""

from pathlib import Path

import numpy as np
import pytest

from baselines import trial as trials
from baselines.ranking import best, ndcg, rank
from baselines.trial import Events, Requests, Trial
from baselines.validation import Epochs, after, choose, choose_epochs, hold_out, targets_of
from tests.support.trial import trial_arrays, write_trial


def load(folder: Path, **settings: bool) -> Trial:
    return trials.load(write_trial(folder / "trial.npz", trial_arrays(**settings)))


def events(*rows: tuple[int, int, int]) -> Events:
    user, item, time_ms = np.array(rows).T
    return Events(user.astype(np.int32), item.astype(np.int32), time_ms.astype(np.int64))


def request(*history: int) -> Requests:
    items = np.array(history, np.int32)
    one = np.zeros(1, np.int64)
    return Requests(one.astype(np.int32), one, np.array([0, len(items)]), items, items * one)


def test_equal_scores_are_ranked_by_item_number_also_at_the_cut() -> None:
    scores = np.array([1, 3, 1, 3, 1, 0], np.float32)
    allowed = np.array([True, True, True, True, True, True])
    assert best(scores, allowed, 4).tolist() == [1, 3, 0, 2]
    allowed[1] = False
    assert best(scores, allowed, 9).tolist() == [3, 0, 2, 4, 5]


def test_the_past_is_left_out_unless_items_repeat() -> None:
    popularity = np.ones(4, np.float32)

    def scorer(requests: Requests) -> np.ndarray:
        return np.array([[4, 3, 2, 1]] * len(requests), np.float32)

    ranked, scores = rank(scorer, request(0, 2), popularity, repeat=False, depth=3)
    assert ranked.tolist() == [[1, 3, -1]]
    assert scores[0, :2].tolist() == [3, 1]
    assert np.isnan(scores[0, 2])
    ranked, _ = rank(scorer, request(0, 2), popularity, repeat=True, depth=3)
    assert ranked.tolist() == [[0, 1, 2]]


def test_a_request_that_tells_nothing_is_answered_by_popularity() -> None:
    popularity = np.array([0, 5, 9], np.float32)

    def scorer(requests: Requests) -> np.ndarray:
        return np.array([[9, 8, 7]] * len(requests), np.float32)

    assert rank(scorer, request(), popularity, repeat=True, depth=2)[0].tolist() == [[2, 1]]
    assert rank(scorer, request(0), popularity, repeat=True, depth=2)[0].tolist() == [[2, 1]]
    assert rank(scorer, request(1), popularity, repeat=True, depth=2)[0].tolist() == [[0, 1]]


def test_ndcg_falls_with_the_place_of_the_target() -> None:
    ranked = np.array([[7, 8, 9], [7, 8, 9], [7, 8, 9]], np.int32)
    targets = np.array([7, 9, 5], np.int32)
    assert ndcg(ranked, targets) == pytest.approx((1 + 1 / np.log2(4) + 0) / 3)


def test_what_was_met_before_is_no_target_unless_items_repeat() -> None:
    known = events((0, 1, 10), (0, 2, 20), (0, 1, 30), (1, 3, 5))
    assert targets_of(known, 2, repeat=False).tolist() == [1]
    assert targets_of(known, 2, repeat=True).tolist() == [1, 2]


def test_nothing_from_a_held_out_event_on_is_fitted_on(tmp_path: Path) -> None:
    whole = load(tmp_path)
    held = hold_out(whole, seed=3)
    assert len(held.targets) == whole.users
    for place, user in enumerate(held.requests.user):
        fitted = held.events.item[held.events.user == user]
        known = whole.known.item[whole.known.user == user]
        assert held.requests.history(place).tolist() == fitted.tolist() == known[:-1].tolist()
        assert held.targets[place] == known[-1]


def test_a_held_out_repeat_gives_way_to_the_newest_first_meeting() -> None:
    known = events((0, 1, 10), (0, 2, 20), (0, 1, 30))
    nothing = np.empty(0, np.int32)
    labelled = trials.Labelled(nothing, nothing, nothing.astype(np.int64), nothing.astype("f4"))
    whole = Trial(
        1, 3, False, known, labelled, request(1), nothing, nothing, nothing.astype(np.int64)
    )
    held = hold_out(whole, seed=0)
    assert held.targets.tolist() == [2]
    assert held.events.item.tolist() == [1]


def test_the_setting_with_the_best_lists_is_chosen(tmp_path: Path) -> None:
    whole = load(tmp_path)
    targets = hold_out(whole, seed=3)

    def fit(known: Events, trial: Trial, settings: dict[str, float], seed: int) -> object:
        answer = dict(zip(targets.requests.user.tolist(), targets.targets.tolist(), strict=True))

        def score(requests: Requests) -> np.ndarray:
            scores = np.zeros((len(requests), trial.items), np.float32)
            for row, user in enumerate(requests.user.tolist()):
                scores[row, answer[user]] = settings["sign"]
            return scores

        return score

    grid = [{"sign": -1.0}, {"sign": 1.0}]
    settings, tried = choose(fit, grid, whole, 3)
    assert settings == {"sign": 1.0}
    assert tried[1]["ndcg@10"] == 1.0 > tried[0]["ndcg@10"]

    def train(known: Events, trial: Trial, settings: dict[str, float], seed: int) -> object:
        yield fit(known, trial, {"sign": -1.0}, seed)
        yield fit(known, trial, {"sign": 1.0}, seed)
        while True:
            yield fit(known, trial, {"sign": -1.0}, seed)

    epochs = Epochs(step=5, most=100, patience=2)
    settings, tried = choose_epochs(train, [{}], epochs, whole, 3)
    assert settings == {"epochs": 10}
    assert after(iter("abc"), 5, 10) == "b"


def test_a_trial_is_read_as_it_was_written(tmp_path: Path) -> None:
    arrays = trial_arrays()
    whole = trials.load(write_trial(tmp_path / "trial.npz", arrays))
    assert whole.known.item.tolist() == arrays["known_item"].tolist()
    assert (
        whole.requests.history(1).tolist()
        == arrays["known_item"][arrays["known_user"] == 1].tolist()
    )
    part = whole.requests.part(1, 3)
    assert part.history(1).tolist() == whole.requests.history(2).tolist()
    requests, row = trials.score_requests(whole)
    assert requests.user[row].tolist() == arrays["score_user"].tolist()
    assert requests.history(2).tolist() == whole.requests.history(2).tolist()
