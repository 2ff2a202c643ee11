"""Which targets the ranker learns from, of users as they are and of some as if they were new."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.trained import SETTINGS, write_two_tastes
from training.datasets import open_dataset
from training.interactions import interactions_of
from training.split import leave_last_out
from training.targets import Targets, choose_targets
from training.words import NO_WORDS, Words, collect_words


@pytest.fixture
def chosen(tmp_path: Path) -> tuple[Targets, Words]:
    return choose(tmp_path, newcomers=4_000)


def choose(tmp_path: Path, newcomers: int) -> tuple[Targets, Words]:
    dataset = open_dataset(str(write_two_tastes(tmp_path / "data")), rejects=None)
    known, settings = interactions_of(dataset), replace(SETTINGS, newcomers=newcomers)
    words = collect_words(dataset, known, settings.seed)
    split = leave_last_out(known, dataset.repeat, settings)
    return choose_targets(split, known, words, settings), words


def test_a_third_of_the_users_comes_once_more_as_new(chosen: tuple[Targets, Words]) -> None:
    targets, _ = chosen
    assert all(target.forget for target in targets.newcomers)
    assert not any(target.forget for target in (*targets.learn, *targets.validate, *targets.test))
    users = {target.user for target in targets.learn}
    assert set(targets.apart.tolist()) == {target.user for target in targets.newcomers}
    assert len(targets.apart) == pytest.approx(len(users) / 3, abs=1)
    # They are asked for what the ranker's models have not seen.
    windows = {(target.user, target.place) for target in targets.learn}
    assert {(target.user, target.place) for target in targets.newcomers} <= windows


def test_they_say_what_they_like_and_some_say_nothing(chosen: tuple[Targets, Words]) -> None:
    targets, words = chosen
    said = {target.user: target.words for target in targets.newcomers}
    silent = [user for user, place in said.items() if place == NO_WORDS]
    assert 0 < len(silent) < len(said) / 2
    for user, place in said.items():
        if place != NO_WORDS:
            assert place in (words.of_user[user], words.of_taste[user])
    assert all(bool(t.words_weight) == (t.words != NO_WORDS) for t in targets.newcomers)


def test_how_many_there_are_is_a_setting(tmp_path: Path) -> None:
    targets, _ = choose(tmp_path, newcomers=10)
    assert 10 <= len(targets.newcomers) < 40
    assert not choose(tmp_path / "none", newcomers=0)[0].newcomers
