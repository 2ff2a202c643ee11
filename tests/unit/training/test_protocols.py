"""Which events each protocol predicts, and what it lets models see, on a hand-written data set."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from training.datasets import Dataset, open_dataset
from training.errors import TrainingError
from training.evaluation.noise import draw_noise, with_noise
from training.evaluation.protocols import Protocol, is_liked
from training.evaluation.trial import Asks, Trial, make_trial
from training.evaluation.trial_file import write_trial

HEADER = "user_id,item_id,timestamp,action,rating,split,label"


def dataset(directory: Path, rows: list[str], *, repeat: bool = False) -> Dataset:
    directory.mkdir(exist_ok=True)
    (directory / "interactions.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (directory / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},\n" for n in range(9)))
    (directory / "dataset.json").write_text(json.dumps({"repeat": repeat}))
    return open_dataset(str(directory), rejects=None)


def day(number: int) -> int:
    return 1_600_000_000 + number * 86_400


def rate(user: str, item: int, on: int, rating: float = 3, split: str = "", label: str = "") -> str:
    return f"{user},i{item},{day(on)},rate,{rating},{split},{label}"


def seen_by(trial: Trial, asks: Asks) -> list[list[str]]:
    """Return the item ids of each ask's history."""
    bounds, places = trial.histories(asks)
    ids = trial.dataset.items.item_id.to_numpy()
    rows = trial.events.events.rows[places]
    return [ids[rows[low:high]].tolist() for low, high in pairwise(bounds)]


def asked(trial: Trial) -> list[str]:
    """Return the item ids of the targets."""
    return trial.dataset.items.item_id.to_numpy()[trial.requests.items].tolist()


def known(trial: Trial) -> list[str]:
    rows = trial.training().events.rows
    return trial.dataset.items.item_id.to_numpy()[rows].tolist()


def test_the_last_event_of_each_user_is_the_target_whatever_its_rating(tmp_path: Path) -> None:
    rows = [
        rate("a", 2, 3, 1),
        rate("a", 0, 1, 5),
        rate("a", 1, 2, 5),
        rate("b", 5, 9),
        rate("b", 4, 8),
    ]
    trial = make_trial(dataset(tmp_path, rows), Protocol())
    assert asked(trial) == ["i2", "i5"]
    assert known(trial) == ["i0", "i1", "i4"]
    assert seen_by(trial, trial.requests) == [["i0", "i1"], ["i4"]]
    assert trial.requests.times_ms.tolist() == [day(3) * 1000, day(9) * 1000]


def test_ties_in_time_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [rate("a", 3, 1), rate("a", 1, 1), rate("a", 2, 1), rate("a", 0, 1)]
    trial = make_trial(dataset(tmp_path, rows), Protocol(targets=2))
    assert asked(trial) == ["i2", "i0"]
    assert seen_by(trial, trial.requests) == [["i3", "i1"], ["i3", "i1", "i2"]]


def test_with_several_targets_models_see_only_what_precedes_the_first(tmp_path: Path) -> None:
    rows = [rate("a", n, n) for n in range(5)]
    trial = make_trial(dataset(tmp_path, rows), Protocol(targets=3))
    assert known(trial) == ["i0", "i1"]
    assert asked(trial) == ["i2", "i3", "i4"]
    assert seen_by(trial, trial.requests)[2] == ["i0", "i1", "i2", "i3"]


def test_something_is_left_of_every_user(tmp_path: Path) -> None:
    rows = [rate("a", 0, 1), rate("b", 1, 1), rate("b", 2, 2)]
    trial = make_trial(dataset(tmp_path, rows), Protocol(targets=5))
    assert asked(trial) == ["i2"]
    assert known(trial) == ["i0", "i1"]


def test_what_was_seen_is_a_target_only_where_people_return(tmp_path: Path) -> None:
    rows = [rate("a", 0, 1), rate("a", 1, 2), rate("a", 0, 3)]
    data = dataset(tmp_path, rows)
    once = make_trial(data, Protocol())
    assert asked(once) == ["i1"]
    assert known(once) == ["i0"]
    assert asked(make_trial(data, Protocol(), repeat=True)) == ["i0"]


def test_dislikes_and_impressions_are_no_targets(tmp_path: Path) -> None:
    rows = [rate("a", n, n) for n in range(3)]
    rows += [f"a,i4,{day(4)},dismiss,,,", f"a,i5,{day(5)},impression,,,"]
    trial = make_trial(dataset(tmp_path, rows), Protocol())
    assert asked(trial) == ["i2"]
    assert seen_by(trial, trial.requests) == [["i0", "i1"]]


def test_the_cut_takes_the_newest_tenth_and_what_is_liked_of_it(tmp_path: Path) -> None:
    rows = [rate("a", n % 9, n, 5) for n in range(9)] + [
        rate("b", n % 9, 9 + n, 5) for n in range(9)
    ]
    rows += [rate("c", 0, 18, 3.5), rate("c", 1, 19, 4), rate("c", 2, 20, 1)]
    trial = make_trial(dataset(tmp_path, rows), Protocol("time", cut=3 / 21))
    assert asked(trial) == ["i1"]
    assert seen_by(trial, trial.requests) == [["i0"]]
    assert len(known(trial)) == 18


def test_events_at_the_moment_of_the_cut_come_after_it(tmp_path: Path) -> None:
    rows = [rate("a", 0, 1, 5), rate("b", 1, 1, 5), rate("a", 2, 2, 5), rate("b", 3, 2, 5)]
    trial = make_trial(dataset(tmp_path, rows), Protocol("time", cut=0.25))
    assert asked(trial) == ["i2", "i3"]
    assert known(trial) == ["i0", "i1"]
    at = Protocol("time", cut_ms=day(2) * 1000)
    assert asked(make_trial(trial.dataset, at)) == ["i2", "i3"]


def test_unrated_events_after_the_cut_are_all_targets(tmp_path: Path) -> None:
    rows = [f"a,i{n},{day(n)},view,,," for n in range(4)]
    trial = make_trial(dataset(tmp_path, rows), Protocol("time", cut=0.5))
    assert asked(trial) == ["i2", "i3"]
    assert seen_by(trial, trial.requests) == [["i0", "i1"], ["i0", "i1", "i2"]]


def test_given_looks_back_on_known_rows_alone(tmp_path: Path) -> None:
    rows = [
        rate("a", 0, 1, 5, "train", "1"),
        rate("a", 1, 2, 5, "test", "1"),
        rate("a", 2, 3, 1, "valid", "0"),
        rate("a", 3, 4, 1, "test", "0"),
        rate("a", 4, 5, 5, "test", "1"),
        rate("a", 5, 6, 5, "train", "1"),
    ]
    trial = make_trial(dataset(tmp_path, rows), Protocol("given"))
    assert asked(trial) == ["i1", "i4"]
    assert known(trial) == ["i0", "i2", "i5"]
    assert seen_by(trial, trial.requests) == [["i0"], ["i0", "i2"]]
    assert trial.labels.tolist() == [1, 0, 1]
    assert seen_by(trial, trial.rated) == [["i0"], ["i0", "i2"], ["i0", "i2"]]


def test_given_without_test_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="split is test"):
        make_trial(dataset(tmp_path, [rate("a", 0, 1), rate("a", 1, 2)]), Protocol("given"))


def test_labels_above_the_middle_of_their_range_are_likes() -> None:
    assert is_liked(np.array([0, 1, np.nan])).tolist()[:2] == [0, 1]
    assert is_liked(np.array([-1.0, 1.0])).tolist() == [0, 1]
    assert is_liked(np.array([1.0, 3.0, 4.0, 5.0])).tolist() == [0, 0, 1, 1]


def test_every_user_is_tested_in_exactly_one_fold(tmp_path: Path) -> None:
    rows = [rate(f"u{user}", item, item) for user in range(7) for item in range(4)]
    data = dataset(tmp_path, rows)
    folds = [make_trial(data, Protocol(folds=3, fold=fold)) for fold in range(3)]
    users = np.concatenate([trial.requests.users for trial in folds])
    assert sorted(users.tolist()) == list(range(7))
    for trial in folds:
        assert trial.known.sum() == 4 * 7 - len(trial.requests)


def test_a_sample_of_requests_is_the_same_every_time(tmp_path: Path) -> None:
    rows = [rate(f"u{user}", item, item) for user in range(30) for item in range(3)]
    data = dataset(tmp_path, rows)
    some = make_trial(data, Protocol(), requests=10)
    assert len(some.requests) == 10
    assert some.requests_all == 30
    assert (
        some.requests.rows.tolist()
        == make_trial(data, Protocol(), requests=10).requests.rows.tolist()
    )
    assert len(make_trial(data, Protocol(), requests=0).requests) == 30


def test_noise_is_known_but_never_asked_for(tmp_path: Path) -> None:
    rows = [rate(f"u{user}", item, item) for user in range(8) for item in range(5)]
    trial = make_trial(dataset(tmp_path, rows), Protocol())
    noise = draw_noise(trial, 0.5, seed=1)
    noisy = with_noise(trial, noise)
    assert 0 < len(noise) <= 16
    assert noisy.known.sum() == trial.known.sum() + len(noise)
    assert noisy.requests.items.tolist() == trial.requests.items.tolist()
    made_up = set(zip(noise.users.tolist(), noise.items.tolist(), strict=True))
    targets = zip(trial.requests.users.tolist(), trial.requests.items.tolist(), strict=True)
    assert not made_up & set(targets)
    before, after = (
        np.diff(trial.histories(trial.requests)[0]),
        np.diff(noisy.histories(noisy.requests)[0]),
    )
    assert after.sum() == before.sum() + len(noise)


def test_the_trial_file_holds_what_its_contract_names(tmp_path: Path) -> None:
    rows = [rate("a", 0, 1, 5, "train", "5"), rate("a", 1, 2, 1, "train", "1")]
    rows += [f"a,i2,{day(3)},dismiss,,train,1", rate("a", 3, 4, 5, "test", "4")]
    trial = make_trial(dataset(tmp_path, rows), Protocol("given"))
    write_trial(trial, tmp_path / "trial.npz")
    with np.load(tmp_path / "trial.npz", allow_pickle=False) as arrays:
        assert arrays["known_item"].tolist() == [0, 1]
        assert arrays["known_label"].tolist() == [1, 0]
        assert arrays["labelled_known_item"].tolist() == [0, 1, 2]
        assert arrays["labelled_known_label"].tolist() == [1, 0, 0]
        assert arrays["history_start"].tolist() == [0, 2]
        assert arrays["history_item"].tolist() == [0, 1]
        assert arrays["score_item"].tolist() == [3]
        assert not arrays["repeat"]
