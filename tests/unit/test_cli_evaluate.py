"""What `tandem evaluate` says of mistakes before it does anything, and of its programs."""

import os
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tandem_cli.__main__ import app
from tandem_cli.evaluation.children import run_child
from tandem_cli.evaluation.plan import Plan
from tandem_cli.failure import CommandFailed
from tests.support.trained import write_two_tastes
from training.settings import TrainSettings


def evaluate(directory: Path, *arguments: str) -> None:
    report = str(directory / "report.json")
    command = ["evaluate", "--dataset", str(directory), "--json", report, *arguments]
    CliRunner().invoke(app, command, catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--protocol", "random"], "is none of loo, time, given"),
        (["--folds", "1"], "wants 2 or more"),
        (["--protocol", "time", "--folds", "3"], "the protocol loo"),
        (["--seeds", "1,two"], "'two' is no number"),
        (["--noise", "1.5"], "at most 1"),
        (["--cut", "2"], "between 0 and 1, or a time"),
        (["--cut", "yesterday"], "no ISO 8601 time"),
        (["--systems", "popular,magic"], "the systems are popular"),
        (["--ablate", "time,mood"], "--ablate mood: what there is: time, place, features"),
        (["--set", "speed=9"], "the settings are"),
        (["--settings", "nowhere.json"], "--settings nowhere.json: .*No such file"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    with pytest.raises(CommandFailed, match=complaint):
        evaluate(tmp_path, *arguments)
    assert not list(tmp_path.iterdir())


def test_tandem_is_trained_with_a_file_of_settings_and_with_what_is_set_besides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Plan] = []

    def planned(plan: Plan) -> None:
        plans.append(plan)
        raise CommandFailed("it was planned")

    monkeypatch.setattr("tandem_cli.evaluation.run.evaluate", planned)
    directory = write_two_tastes(tmp_path / "data")
    file = tmp_path / "settings.json"
    file.write_text('{"epochs": 3, "cf_alpha": 2.5}')
    with pytest.raises(CommandFailed, match="it was planned"):
        evaluate(directory, "--systems", "popular", "--settings", str(file), "--set", "epochs=4")
    assert plans[0].tandem.train == TrainSettings(epochs=4, cf_alpha=2.5)


@pytest.mark.parametrize(
    ("asked", "systems"),
    [
        ("time, place", ["popular", "tandem", "tandem:without_time", "tandem:without_place"]),
        ("text", ["popular", "tandem", "tandem:text"]),
        ("", ["popular"]),
    ],
)
def test_an_ablation_asks_tandem_with_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, systems: list[str]
) -> None:
    plans: list[Plan] = []
    monkeypatch.setattr("tandem_cli.evaluation.run.evaluate", plans.append)
    directory = write_two_tastes(tmp_path / "data")
    with pytest.raises(TypeError):  # there is no report to write
        evaluate(directory, "--systems", "popular", "--ablate", asked)
    assert plans[0].systems == systems


def test_a_programs_lines_time_and_memory_are_seen(tmp_path: Path) -> None:
    code = "b = bytearray(80 << 20); print('made'); import time; time.sleep(1); raise SystemExit(3)"
    heard: list[str] = []
    ended = run_child(
        "child", [sys.executable, "-c", code], tmp_path / "log", tmp_path, heard.append
    )
    assert ended.status == 3
    assert heard == ["made"]
    assert ended.seconds >= 1
    assert 80 < ended.peak_rss_mib < 250


def test_a_program_is_ended_when_its_caller_gives_up(tmp_path: Path) -> None:
    def give_up(line: str) -> None:
        raise KeyboardInterrupt(line)

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt) as raised:
        run_child("child", [sys.executable, "-c", code], tmp_path / "log", tmp_path, give_up)
    pid = int(str(raised.value))
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
