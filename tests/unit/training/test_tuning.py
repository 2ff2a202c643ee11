import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import optuna
import pytest
import torch

from tandem_cli.failure import CommandFailed
from tandem_cli.train_settings import changed_settings
from tests.support.trained import (
    SETTINGS,
    encode_by_words,
    write_small_encoder,
    write_two_tastes,
)
from training.datasets import open_dataset
from training.interactions import interactions_of
from training.settings import TrainSettings
from training.split import leave_last_out
from training.tuning.data import TuningData, tuning_data
from training.tuning.objectives import Objectives
from training.tuning.run import tune
from training.tuning.search import OutOfTime, parts, search

torch.set_num_threads(1)
QUICK = replace(SETTINGS, tower_epochs=2, tower_width=64, epochs=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TuningData:
    directory = tmp_path_factory.mktemp("tuning")
    dataset = open_dataset(str(write_two_tastes(directory / "data")), rejects=None)
    encoder = write_small_encoder(directory / "encoder")
    with patch("training.tuning.data.encode_texts", encode_by_words):
        return tuning_data(dataset, "", encoder, QUICK, lambda _: None)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class FakeObjectives:
    """Knows the best value of one setting; each trial takes as long as is said."""

    def __init__(self, data: TuningData, seconds: float = 0.0) -> None:
        self.data = data
        self.seconds = seconds
        self.clock = Clock()
        self.expected = 0.0
        self.asked: list[tuple[str, TrainSettings]] = []

    def takes(self, part, settings):
        return self.expected if part == "ranker" else 0.0

    def value(self, part, settings, watch, tick):
        self.asked.append((part, settings))
        self.clock.now += self.seconds
        tick()
        watch(0.1)
        return 1.0 / (1.0 + abs(np.log(settings.cf_alpha / 3.0)))


def found(objectives, tmp_path: Path, *, trials=None, budget_s=60.0, say=lambda _: None):
    with patch("training.tuning.search.time", objectives.clock):
        return search(
            objectives,
            QUICK,
            storage=tmp_path / "studies.db",
            key="k",
            start=0.0,
            budget_s=budget_s,
            trials=trials,
            say=say,
        )


def test_no_trial_sees_a_test_event(data: TuningData) -> None:
    everything = interactions_of(data.material.dataset)
    split = leave_last_out(everything, data.material.dataset.repeat, QUICK)
    assert (data.material.known.counts() == np.maximum(split.test, 0)).all()  # one has no events
    with patch("training.tuning.data.encode_texts", encode_by_words):
        run = data.run(QUICK, lambda _: None)
    assert run.targets.test == []
    for target in (*run.targets.learn, *run.targets.validate):
        assert target.place < split.test[target.user]
    # The event that validates is the one by which training chooses too.
    assert {(t.user, t.place) for t in run.targets.validate} == {
        (user, place) for user, place in enumerate(split.valid.tolist()) if place >= 0
    }


def test_every_part_has_an_objective_that_is_a_share(data: TuningData) -> None:
    objectives = Objectives(data, lambda _: None)
    with patch("training.tuning.data.encode_texts", encode_by_words):
        seen = [
            objectives.value(part, QUICK, lambda _: None, lambda: None)
            for part in parts(objectives, QUICK)
        ]
    assert len(seen) == 4
    assert all(0.0 < value <= 1.0 for value in seen)


def test_a_setting_that_breaks_a_part_is_seen_in_its_value(data: TuningData) -> None:
    objectives = Objectives(data, lambda _: None)
    with patch("training.tuning.data.encode_texts", encode_by_words):
        good, bad = (
            objectives.value("cf", settings, lambda _: None, lambda: None)
            for settings in (replace(QUICK, cf_regularization=r) for r in (1.0, 1e7))
        )
    assert good > bad + 0.05


def test_the_search_starts_from_what_is_and_finds_better(data: TuningData, tmp_path: Path) -> None:
    objectives = FakeObjectives(data)
    settings, studies = found(objectives, tmp_path, trials=8)
    part, first = objectives.asked[0]
    assert (part, first) == ("cf", QUICK)
    assert studies[0].trials == 8
    assert studies[0].best > studies[0].default
    assert abs(np.log(settings.cf_alpha / 3.0)) < abs(np.log(QUICK.cf_alpha / 3.0))
    # The ranker is tried on what was found for the parts below it.
    last = next(one for name, one in objectives.asked if name == "ranker")
    assert last.cf_alpha == settings.cf_alpha


def test_a_second_search_goes_on_where_the_first_stopped(data: TuningData, tmp_path: Path) -> None:
    once, again = FakeObjectives(data), FakeObjectives(data)
    first, _ = found(once, tmp_path, trials=2)
    second, studies = found(again, tmp_path, trials=2)
    assert again.asked == []
    assert second == first
    assert [study.trials for study in studies] == [2, 2, 2, 2]
    found(again, tmp_path, trials=3)
    assert len([part for part, _ in again.asked if part == "cf"]) == 1


def test_the_search_ends_with_its_budget(data: TuningData, tmp_path: Path) -> None:
    objectives = FakeObjectives(data, seconds=10.0)
    found(objectives, tmp_path, budget_s=100.0)
    assert objectives.clock.now <= 100.0
    assert [part for part, _ in objectives.asked] == [
        *["cf"] * 2,
        *["neighbours"] * 1,
        *["tower"] * 3,
        *["ranker"] * 4,
    ]


def test_a_trial_is_ended_when_the_budget_is_spent(data: TuningData, tmp_path: Path) -> None:
    said: list[str] = []
    settings, studies = found(
        FakeObjectives(data, seconds=0.3), tmp_path, budget_s=0.2, say=said.append
    )
    assert settings == QUICK
    assert all(study.best is None for study in studies)
    assert any("the budget is spent" in line for line in said)
    # The trial that was broken off counts for nothing, and the next search begins with it again.
    again = FakeObjectives(data)
    found(again, tmp_path, trials=1)
    assert again.asked[0] == ("cf", QUICK)


def test_a_ranker_that_would_take_too_long_is_not_tried(data: TuningData, tmp_path: Path) -> None:
    said: list[str] = []
    objectives = FakeObjectives(data, seconds=1.0)
    objectives.expected = 600.0
    _, studies = found(objectives, tmp_path, trials=1, say=said.append)
    assert [study.part for study in studies] == ["cf", "neighbours", "tower"]
    assert "ranker: a trial takes about 10 min, more than is left; not tried" in said


def test_what_a_ranker_takes_is_estimated(data: TuningData) -> None:
    objectives = Objectives(data, lambda _: None)
    few, many = (objectives.takes("ranker", replace(QUICK, epochs=n)) for n in (1, 20))
    assert 0.0 < few < many
    assert 0.0 == objectives.takes("cf", QUICK) < objectives.takes("tower", QUICK) < few


def test_a_tick_ends_the_fitting_of_a_tower(data: TuningData) -> None:
    def tick() -> None:
        raise OutOfTime

    with (
        patch("training.tuning.data.encode_texts", encode_by_words),
        pytest.raises(OutOfTime),
    ):
        Objectives(data, lambda _: None).value("tower", QUICK, lambda _: None, tick)


def test_training_takes_what_tuning_writes(tmp_path: Path) -> None:
    dataset = write_two_tastes(tmp_path / "data")
    with patch("training.tuning.data.encode_texts", encode_by_words):
        file = tune(
            str(dataset),
            tmp_path / "work",
            encoder_target="",
            encoder_directory=write_small_encoder(tmp_path / "encoder"),
            budget_s=90.0,
            trials=1,
            settings=QUICK,
            say=lambda _: None,
        )
    settings = changed_settings(["seed=3"], file)
    assert settings == replace(QUICK, seed=3)
    report = json.loads((tmp_path / "work" / "report.json").read_text())
    assert [study["part"] for study in report["studies"]] == [
        "cf",
        "neighbours",
        "tower",
        "ranker",
    ]
    assert all(study["best"] == study["default"] > 0 for study in report["studies"])
    assert optuna.get_all_study_names(f"sqlite:///{tmp_path / 'work' / 'studies.db'}")


def test_a_settings_file_that_means_nothing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    for content, why in (
        ('{"epoch": 1}', "epoch is none of the settings"),
        ('{"epochs": true}', "True is no int"),
        ('{"epochs": 1.5}', "1.5 is no int"),
        ("[1]", "no JSON object"),
        ("{", "settings.json: "),
    ):
        file.write_text(content)
        with pytest.raises(CommandFailed, match=why):
            changed_settings([], file)
    file.write_text('{"cf_alpha": 3, "seed": 5}')
    assert changed_settings(["seed=6"], file) == replace(TrainSettings(), cf_alpha=3.0, seed=6)
