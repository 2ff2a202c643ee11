"""The baselines as they are run: as a program in their own environment."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.trial import GROUP_ITEMS, trial_arrays, write_trial

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-baselines" / "bin" / "python"
RANKING = ("popular", "popular_7d", "itemknn", "ease", "ials", "lightfm", "sasrec")
pytestmark = [
    pytest.mark.timeout(900),  # the first may wait for the environment
    pytest.mark.usefixtures("baselines_environment"),
]


def run(system: str, trial: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "-m", "baselines", system, "--trial", trial, "--out", out, "--seed", "5"]
    return subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True)


def answer(system: str, trial: Path, out: Path, *more: str) -> tuple[Any, dict[str, Any]]:
    done = run(system, trial, out, "--budget-trials", "1", *more)
    assert done.returncode == 0, done.stderr
    with np.load(out / "result.npz", allow_pickle=False) as result:
        arrays = {name: result[name] for name in result.files}
    return arrays, json.loads((out / "result.json").read_text())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    arrays = trial_arrays()
    return arrays, write_trial(tmp_path_factory.mktemp("trial") / "trial.npz", arrays)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


def chosen(folder: Path, *systems: str) -> list[str]:
    return [part for s in systems for part in ("--reuse", str(folder / s / "result.json"))]


@pytest.fixture(scope="module")
def answers(
    world: tuple[dict[str, Any], Path], folder: Path
) -> dict[str, tuple[Any, dict[str, Any]]]:
    done = {system: answer(system, world[1], folder / system) for system in RANKING}
    reused = chosen(folder, "ease", "ials", "lightfm", "sasrec")
    return {**done, "fusion": answer("fusion", world[1], folder / "fusion", *reused)}


def share_of_own_taste(ranked: np.ndarray) -> float:
    tastes = np.arange(len(ranked))[:, None] % 4
    return float((ranked[:, :5] // GROUP_ITEMS == tastes).mean())


@pytest.mark.parametrize("system", [*RANKING, "fusion"])
def test_every_list_is_whole_finite_and_without_the_past(
    system: str, world: tuple[dict[str, Any], Path], answers: dict[str, tuple[Any, dict[str, Any]]]
) -> None:
    arrays, report = world[0], answers[system][1]
    result = answers[system][0]
    requests = len(arrays["request_user"])
    assert result["ranked"].shape == result["scores"].shape == (requests, 500)
    assert result["ranked"].dtype == np.int32
    for row in range(requests):
        low, high = arrays["history_start"][row : row + 2]
        past = set(arrays["history_item"][low:high].tolist())
        listed = [item for item in result["ranked"][row].tolist() if item >= 0]
        assert sorted([*listed, *past]) == list(range(int(arrays["items"]))), system
        scores = result["scores"][row, : len(listed)]
        assert np.isfinite(scores).all()
        assert (np.diff(scores) <= 0).all()
    assert np.isfinite(result["label_scores"]).all()
    assert report["system"] == system
    assert report["seconds"] >= 0
    assert report["peak_rss_mib"] > 10
    assert report["versions"]["RecTools"] == "0.19.0"


@pytest.mark.parametrize("system", ["itemknn", "ease", "ials", "lightfm", "sasrec", "fusion"])
def test_what_learns_from_users_finds_their_taste(
    system: str, answers: dict[str, tuple[Any, dict[str, Any]]]
) -> None:
    assert share_of_own_taste(answers["popular"][0]["ranked"]) < 0.5
    assert share_of_own_taste(answers[system][0]["ranked"]) > 0.7


def test_the_fusion_takes_settings_that_were_chosen_before(
    answers: dict[str, tuple[Any, dict[str, Any]]],
) -> None:
    settings, grid = answers["fusion"][1]["settings"], answers["fusion"][1]["grid"]
    assert settings["sasrec"] == answers["sasrec"][1]["settings"]
    assert {row["system"] for row in grid} == {"trees"}


@pytest.mark.parametrize("system", ["ials", "lightfm", "sasrec"])
def test_one_seed_has_one_answer(
    system: str,
    world: tuple[dict[str, Any], Path],
    answers: dict[str, tuple[Any, dict[str, Any]]],
    folder: Path,
    tmp_path: Path,
) -> None:
    # Choosing SASRec's settings takes most of its time.
    reused = chosen(folder, "sasrec") if system == "sasrec" else []
    again, report = answer(system, world[1], tmp_path, *reused)
    assert report["settings"] == answers[system][1]["settings"]
    np.testing.assert_array_equal(again["ranked"], answers[system][0]["ranked"])


@pytest.mark.parametrize("system", ["lightfm", "sasrec", "ials"])
def test_a_user_that_the_fit_does_not_know_is_answered_by_history(
    system: str,
    world: tuple[dict[str, Any], Path],
    answers: dict[str, tuple[Any, dict[str, Any]]],
    folder: Path,
    tmp_path: Path,
) -> None:
    assert answers  # its settings do here
    arrays = dict(world[0])
    stranger = arrays["known_user"] == 2
    for name in ("known_user", "known_item", "known_time_ms", "known_label"):
        arrays[name] = arrays[name][~stranger]
    trial = write_trial(tmp_path / "trial.npz", arrays)
    result, _ = answer(system, trial, tmp_path / "out", *chosen(folder, system))
    assert (result["ranked"][2, :5] // GROUP_ITEMS == 2).mean() > 0.5


def test_likes_are_told_from_dislikes(tmp_path: Path) -> None:
    arrays = trial_arrays(users=300)
    trial = write_trial(tmp_path / "trial.npz", arrays)
    result, report = answer("label_gbdt", trial, tmp_path / "out")
    even = arrays["score_item"] % 2 == 0
    scores = result["label_scores"]
    in_order = scores[even][:, None] > scores[~even][None]
    assert in_order.mean() > 0.9
    assert (result["ranked"] == -1).all()
    assert report["grid"][0]["auc"] > 0.6


def test_a_system_that_does_not_apply_says_why_and_writes_nothing(
    world: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    done = run("most_visited", world[1], tmp_path / "out")
    assert done.returncode == 3
    assert "own past" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_own_past_leads_where_items_repeat(tmp_path: Path) -> None:
    arrays = trial_arrays(repeat=True)
    result, _ = answer("most_visited", write_trial(tmp_path / "t.npz", arrays), tmp_path / "out")
    for row in range(len(result["ranked"])):
        low, high = arrays["history_start"][row : row + 2]
        assert result["ranked"][row, 0] in arrays["history_item"][low:high]
