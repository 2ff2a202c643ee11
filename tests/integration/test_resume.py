import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from safetensors.torch import load_file

import training.checkpoint
import training.ranker.loop
import training.run
import training.tower.loop
from tests.support.trained import (
    SETTINGS,
    encode_by_words,
    write_small_encoder,
    write_two_tastes,
)
from training.errors import TrainingError
from training.progress import Tracker
from training.run import train
from training.settings import TrainSettings

# The tower takes 3 steps an epoch, the ranker 24.
FEW = replace(SETTINGS, tower_epochs=5, tower_batch_events=128, judgements=100)
WEIGHTS = (
    "cf.safetensors",
    "ratings.safetensors",
    "ranker/model.safetensors",
    "tower/model.safetensors",
    "tower/space.safetensors",
)
# Where a run is stopped: whose function it calls, and in which of the run's calls of it.
Place = tuple[object, str, int]
TOWER = (training.tower.loop, "next_item_loss")
RANKER = (training.ranker.loop, "batch_loss")
EVALUATION: Place = (training.run, "evaluate", 1)
RELEASE: Place = (training.run, "write_release", 1)
NEVER: Place = (training.run, "write_release", 0)
AFTER_RANKER = [
    "going on after user tower, which is done",
    "going on after ranker, which is done",
    "going on after user tower for the evaluation, which is done",
]
# While these states are written, one before them being there.
WRITING = {"tower": ("user-tower.safetensors", 5), "ranker": ("ranker.safetensors", 28)}


class Stopped(Exception):
    """Stands for whatever ends a run."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data")
    write_two_tastes(directory / "dataset")
    write_small_encoder(directory / "encoder")
    return directory


@pytest.fixture(scope="module")
def whole(data: Path) -> Path:
    """Return the release of a run that was never stopped."""
    run(data, data / "whole")
    return data / "whole"


def run(
    data: Path,
    out: Path,
    settings: TrainSettings = FEW,
    *,
    stop: Place = NEVER,
    restart: bool = False,
) -> list[str]:
    """Train, keeping progress after each step; return what was said of going on."""
    said: list[str] = []
    with (
        patch("training.run.encode_texts", encode_by_words),
        patch("training.checkpoint.EVERY_S", 0.0),
        patch.object(*stop[:2], stopping(*stop)),
    ):
        try:
            train(
                str(data / "dataset"),
                out,
                encoder_target="",
                encoder_directory=data / "encoder",
                settings=settings,
                restart=restart,
                say=said.append,
            )
        except Stopped:
            assert stop is not NEVER
        else:
            assert stop is NEVER
    return [line for line in said if line.startswith("going on ")]


def stopping(owner: object, name: str, last: int) -> Callable[..., object]:
    """Return the function of that name, which stops the run in its last call."""
    really, calls = getattr(owner, name), 0

    def counted(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == last:
            raise Stopped
        return really(*arguments, **named)

    return counted


def killed_while_writing(stage: str, data: Path, out: Path) -> None:
    """Train, in a process of its own, until it kills itself with half a state written."""
    name, last = WRITING[stage]
    really, calls = training.checkpoint.save_file, 0

    def killing(tensors: object, draft: Path, **named: object) -> None:
        nonlocal calls
        calls += draft.name == name
        really(tensors, draft, **named)
        if calls == last:
            os.truncate(draft, draft.stat().st_size // 2)
            # What safetensors writes first has a name of its own.
            draft.rename(draft.with_name(".tmp12345"))
            os.kill(os.getpid(), signal.SIGKILL)

    with patch("training.checkpoint.save_file", killing):
        run(data, out)


def in_a_child(stage: str, data: Path, out: Path) -> int:
    """Return how a process ended that was killed while it wrote."""
    code = (
        "import pathlib, sys, tests.conftest, tests.integration.test_resume as here;"
        "here.killed_while_writing(sys.argv[1], *map(pathlib.Path, sys.argv[2:]))"
    )
    command = [sys.executable, "-c", code, stage, str(data), str(out)]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, timeout=100).returncode


def assert_same(release: Path, other: Path) -> None:
    """Assert that two releases hold the same weights, bit by bit."""
    for name in WEIGHTS:
        one, two = load_file(release / name), load_file(other / name)
        assert one.keys() == two.keys()
        assert [n for n in one if not one[n].equal(two[n])] == []


def test_a_run_stopped_again_and_again_ends_with_the_same_weights(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "release"
    assert run(data, out, stop=(*TOWER, 1)) == []
    assert run(data, out, stop=(*TOWER, 5)) == []
    tower = "going on from user tower, epoch 2, step 1"
    assert run(data, out, stop=(*RANKER, 5)) == [tower]
    done = AFTER_RANKER[:1]
    ranker = "going on from ranker, epoch 1, step 4"
    assert run(data, out, stop=(*RANKER, 25)) == [*done, ranker]
    ranker = "going on from ranker, epoch 2, step 4"
    assert run(data, out, stop=EVALUATION) == [*done, ranker]
    assert run(data, out, stop=RELEASE) == AFTER_RANKER
    kept = sorted((tmp_path / ".release.progress").iterdir())
    assert {path.suffix for path in kept} == {".json", ".safetensors"}
    assert run(data, out) == [
        *AFTER_RANKER,
        "going on after evaluation, which is done",
        "going on after user tower for the release, which is done",
    ]
    assert_same(whole, out)
    assert not (tmp_path / ".release.progress").exists()


def test_a_run_that_reads_users_in_turn_goes_on_with_those_whose_turn_it_is(
    data: Path, tmp_path: Path
) -> None:
    few = replace(FEW, tower_events=300, tower_epochs=3, epochs=1)
    run(data, tmp_path / "whole", few)
    out = tmp_path / "release"
    assert run(data, out, few, stop=(*TOWER, 6)) == []
    assert run(data, out, few) == ["going on from user tower, epoch 2, step 2"]
    assert_same(tmp_path / "whole", out)


def test_a_run_killed_while_it_writes_ends_with_the_same_weights(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "release"
    assert in_a_child("tower", data, out) == -signal.SIGKILL
    assert in_a_child("ranker", data, out) == -signal.SIGKILL
    assert list((tmp_path / ".release.progress" / "drafts").iterdir())
    assert run(data, out) == [*AFTER_RANKER[:1], "going on from ranker, epoch 2, step 2"]
    assert_same(whole, out)
    assert not (tmp_path / ".release.progress").exists()


def test_progress_of_another_run_is_refused_unless_it_is_to_begin_anew(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "release"
    run(data, out, stop=(*TOWER, 3))
    with pytest.raises(TrainingError, match=r"with another setting seed; --restart begins anew"):
        run(data, out, replace(FEW, seed=8))
    assert run(data, out, stop=(*TOWER, 1)) == ["going on from user tower, epoch 1, step 2"]
    assert run(data, out, replace(FEW, seed=8), stop=(*TOWER, 1), restart=True) == []


@pytest.mark.parametrize("what", ["data set", "version of the code", "encoder"])
def test_what_decides_on_a_run_is_compared(what: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"data set": "a", "encoder": "b", what: "c"}))
    was = {"data set": "a", "encoder": "b"}
    with pytest.raises(TrainingError, match=f"with another {what}; --restart begins anew"):
        training.checkpoint.open_checkpoint(tmp_path, was, restart=False, say=print)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for restart in (False, True):
        with pytest.raises(TrainingError, match="holds something else"):
            training.checkpoint.open_checkpoint(tmp_path, {}, restart=restart, say=print)
    assert (tmp_path / "thesis.txt").exists()


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    checkpoint = training.checkpoint.Checkpoint(tmp_path / "progress")
    checkpoint.finish("ranker", {"engage": {"before": 0.5}})
    assert checkpoint.finished("ranker") == {"engage": {"before": 0.5}}
    (tmp_path / "progress" / "ranker.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(TrainingError, match="--restart begins anew"):
        checkpoint.finished("ranker")


def test_the_numbers_of_training_are_counted_on(tmp_path: Path) -> None:
    written: list[tuple[str, float, int]] = []
    for loss in (0.5, 0.25):
        tracker = Tracker(lambda _: None, lambda *number: written.append(number))
        checkpoint = training.checkpoint.Checkpoint(tmp_path / "progress", say=tracker)
        checkpoint.load("ranker")
        tracker.scalar("ranker/loss", loss)
        checkpoint.finish("ranker", None)
    assert written == [("ranker/loss", 0.5, 1), ("ranker/loss", 0.25, 2)]
