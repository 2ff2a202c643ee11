"""The whole evaluation on a tiny data set: baselines, training, a stack of its own, the report."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.running_stack import tandem
from tests.support.tiny_encoder import write_tiny_encoder

USERS, ITEMS, EVENTS = 40, 40, 14
SETTINGS = (
    "cf_width=8",
    "neighbours=10",
    "ease_items=10",
    "tower_width=16",
    "tower_layers=1",
    "tower_epochs=2",
    "source_depth=20",
    "candidate_count=40",
    "positions=64",
    "epochs=1",
    "negatives=7",
    "id_width=8",
    "validation_users=20",
)
BASELINES = ("popular", "ease", "label_gbdt")

pytestmark = [
    pytest.mark.timeout(300),  # the first may wait for the environment
    pytest.mark.usefixtures("baselines_environment"),
]


def write_two_colours(directory: Path) -> Path:
    """Write people who take items of one colour and like the low numbers; the newest are tests."""
    directory.mkdir(parents=True)
    items = ["item_id,title"]
    items += [f"i{i},a {('quiet', 'film')[i % 2]} book {i}" for i in range(ITEMS)]
    (directory / "items.csv").write_text("\n".join(items) + "\n")
    random = np.random.default_rng(0)
    rows = ["user_id,item_id,timestamp,rating,split,label"]
    for user in range(USERS):
        of_colour = [i for i in range(ITEMS) if i % 2 == user % 2]
        for step, item in enumerate(random.permutation(of_colour)[:EVENTS]):
            split = "test" if step >= EVENTS - 3 else "train"
            liked = int((item < ITEMS / 2) != (random.random() < 0.2))
            time_s = 1_600_000_000 + step * 86_400 + user
            rows.append(f"u{user},i{item},{time_s},{2 + 3 * liked},{split},{liked}")
    (directory / "interactions.csv").write_text("\n".join(rows) + "\n")
    groups = [f"u{user},{('even', 'odd')[user % 2]}" for user in range(USERS)]
    (directory / "users.csv").write_text("user_id,group\n" + "\n".join(groups) + "\n")
    return directory


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("evaluate")
    write_two_colours(directory / "data")
    write_tiny_encoder(directory / "weights", positions=128)
    yield directory
    assert not list(directory.rglob("stack-*")), "a temporary stack was left behind"


def evaluate(place: Path, *more: object, systems: str, status: int = 0) -> tuple[Any, str]:
    """Run the command and return its report and what it said."""
    said = tandem(
        *("evaluate", "--dataset", place / "data", "--protocol", "given", "--systems", systems),
        *("--json", place / "report.json", "--work", place / "work"),
        *("--encoder", place / "weights", "--encoders", place / "encoders"),
        *(part for setting in SETTINGS for part in ("--set", setting)),
        *more,
        status=status,
    )
    return json.loads((place / "report.json").read_text()), said.stdout + said.stderr


@pytest.fixture(scope="module")
def report(place: Path) -> Any:
    return evaluate(place, systems=",".join((*BASELINES, "tandem")))[0]


def test_every_system_is_measured_on_the_same_requests(report: Any) -> None:
    systems = report["systems"]
    assert {*BASELINES, "tandem", "union", "source:cf", "source:similar"} <= systems.keys()
    for system in systems.values():
        assert system["status"] == "ok"
    assert report["trial"]["known_events"] == [USERS * (EVENTS - 3)]
    assert report["trial"]["labelled_rows"] == 3 * USERS
    requests = report["trial"]["requests"]
    assert 0 < requests < 3 * USERS, "disliked test rows are no targets"
    for name in ("popular", "ease", "tandem", "union"):
        metric = systems[name]["metrics"]["ndcg@10"]
        assert metric["ci95"][0] <= metric["mean"] <= metric["ci95"][1]
        assert systems[name]["metrics"]["seen@10"]["mean"] == 0
        assert systems[name]["slices"]["group:even"]["requests"] > 0


def test_what_is_served_is_whole_and_knows_more_than_popularity(report: Any) -> None:
    metrics = report["systems"]["tandem"]["metrics"]
    run = report["systems"]["tandem"]["runs"][0]
    assert run["serving"]["degraded"] == 0, run["serving"]["skipped"]
    assert run["serving"]["parity"]["shared_of_10"] > 0.9
    assert run["training"]["peak_rss_mib"] > 100
    assert metrics["ndcg@10"]["mean"] > report["systems"]["popular"]["metrics"]["ndcg@10"]["mean"]
    assert metrics["recall@50"]["mean"] == 1.0, "the catalogue is smaller than the list"
    assert {"cf", "similar", "popular"} <= report["added"].keys()
    assert report["added"]["nearby"]["recall@50"]["difference"] == 0, "nothing has a place"
    assert not [name for name in report["systems"] if name.startswith("without:")]


def test_labelled_rows_are_scored_with_probabilities(report: Any) -> None:
    ours = report["systems"]["tandem"]["metrics"]
    trees = report["systems"]["label_gbdt"]["metrics"]
    for metrics in (ours, trees):
        assert metrics["scored_rows"]["mean"] == 1.0
        assert 0 <= metrics["uauc"]["mean"] <= 1
        assert metrics["log_loss"]["mean"] > 0
    assert trees["auc"]["mean"] > 0.6
    assert "ndcg@10" not in trees, "it ranks nothing, which is not the same as ranking badly"


def test_the_best_baseline_is_the_one_to_beat(report: Any) -> None:
    found = report["significance"]["ndcg@10"]
    means = {n: report["systems"][n]["metrics"]["ndcg@10"]["mean"] for n in ("popular", "ease")}
    assert found["best_baseline"] == max(means, key=lambda name: means[name])
    assert found["ci95"][0] <= found["difference"] <= found["ci95"][1]


def test_a_page_and_pictures_come_with_the_report(report: Any, place: Path) -> None:
    page = (place / "report.md").read_text()
    assert "| tandem |" in page
    for name in ("report-ndcg.png", "report-recall.png"):
        assert f"({name})" in page
        assert (place / name).stat().st_size > 5_000


def test_a_second_run_goes_on_where_the_first_was(report: Any, place: Path) -> None:
    again, said = evaluate(place, systems="popular,tandem")
    assert "popular: kept from an earlier run" in said
    assert "triton is up" not in said
    assert again["systems"]["tandem"]["metrics"] == report["systems"]["tandem"]["metrics"]


def test_trees_on_the_same_features_are_asked_through_the_served_path(place: Path) -> None:
    system = evaluate(place, systems="tandem:trees")[0]["systems"]["tandem:trees"]
    run = system["runs"][0]
    assert run["serving"]["degraded"] == 0, run["serving"]["skipped"]
    # Trees of so few examples leave many items equal, which are then ordered by nothing.
    assert run["serving"]["parity"]["shared_of_10"] > 0.8
    assert system["metrics"]["recall@50"]["mean"] == 1.0
    assert system["metrics"]["ndcg@10"]["mean"] > 0.3


def test_one_system_that_fails_does_not_stop_the_others(report: Any, place: Path) -> None:
    del report  # what it left is reused
    none = ("--release", place / "no-such-release")
    again, said = evaluate(place, *none, systems="popular,tandem", status=1)
    assert again["systems"]["popular"]["status"] == "ok"
    assert again["systems"]["tandem"]["status"] == "failed"
    assert "tandem: failed" in said
