"""From answers to the report, on answers written by hand."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.test_protocols import dataset, rate
from training.evaluation.measure import Measure, added, significance
from training.evaluation.notes import notes
from training.evaluation.protocols import Protocol
from training.evaluation.tables import ranking_table
from training.evaluation.trial import Trial, make_trial
from training.evaluation.trial_file import UNASKED, Result, read_result, write_result

USERS = 12


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    rows = [rate(f"u{user}", item, item) for user in range(USERS) for item in range(4)]
    return make_trial(dataset(tmp_path / "data", rows), Protocol())


def result(trial: Trial, place: int, count: int = 6) -> Result:
    """Return lists with the target at a place."""
    others = [row for row in range(9) if row >= 4][: count - 1]
    lists = [[*others[:place], int(item), *others[place:]] for item in trial.requests.items]
    nothing = np.zeros(0, np.float32)
    return Result(np.array(lists, np.int32), nothing, {"seconds": 1.0, "peak_rss_mib": 2.0})


def test_the_mean_over_seeds_is_taken_for_each_request(trial: Trial) -> None:
    measure = Measure([trial])
    seeds = [[result(trial, 0)], [result(trial, 1)]]
    values = measure.values(seeds)
    expected = (1 + 1 / np.log2(3)) / 2
    assert values["ndcg@10"].tolist() == pytest.approx([expected] * USERS)
    report = measure.report("ease", seeds, values)
    assert report["metrics"]["ndcg@10"]["ci95"] == pytest.approx([expected, expected])
    assert report["slices"]["history:1-4"]["requests"] == USERS


def test_requests_that_were_not_asked_do_not_count(trial: Trial) -> None:
    some = result(trial, 0)
    some.ranked[3:] = UNASKED
    measure = Measure([trial])
    values = measure.values([[some]])
    report = measure.report("union", [[some]], values)
    assert report["requests"] == 3
    assert report["metrics"]["hr@10"]["mean"] == 1.0


def test_what_a_source_adds_is_told_of_the_requests_that_were_asked(trial: Trial) -> None:
    union, without = result(trial, 0), result(trial, 0)
    without.ranked[:4][without.ranked[:4] < 4] = -1  # the targets
    for each in (union, without):
        each.ranked[8:] = UNASKED
    measure = Measure([trial])
    values = {n: measure.values([[r]]) for n, r in (("union", union), ("without:cf", without))}
    found = added(measure, values)["cf"]["recall@200"]
    assert found["difference"] == pytest.approx(0.5)
    assert 0 < found["ci95"][0] < 0.5 < found["ci95"][1]


def test_folds_are_pooled(trial: Trial) -> None:
    measure = Measure([trial, trial])
    values = measure.values([[result(trial, 0), result(trial, 1)]])
    assert len(values["mrr"]) == 2 * USERS
    assert values["mrr"].mean() == pytest.approx(0.75)
    assert measure.bootstrap.users == USERS


def test_tandem_is_held_against_the_best_baseline(trial: Trial) -> None:
    measure = Measure([trial])
    places = {"popular": 4, "ease": 2, "tandem": 1}
    values = {name: measure.values([[result(trial, place)]]) for name, place in places.items()}
    found = significance(measure, values, ["popular", "ease"])["ndcg@10"]
    assert found["best_baseline"] == "ease"
    assert found["ratio"] == pytest.approx(np.log2(4) / np.log2(3))
    assert found["difference"] > 0
    assert found["p_value"] < 0.01
    assert set(found["against"]) == {"popular", "ease"}


def test_the_table_tells_what_failed_and_what_was_degraded(trial: Trial) -> None:
    measure = Measure([trial])
    seeds = [[result(trial, 0)]]
    serving = {"degraded": 2, "skipped": {"rank: timeout": 2}}
    tandem = {"status": "ok", "seconds": 3.0, "peak_rss_mib": None, "runs": [{"serving": serving}]}
    systems = {
        "ials": {"status": "failed", "why": "out of memory", "metrics": {}},
        "tandem": {**tandem, **measure.report("tandem", seeds, measure.values(seeds))},
    }
    report = {"systems": systems, "trial": {"requests": USERS, "requests_all": 2 * USERS}}
    heading, rows = ranking_table(report)
    assert [row[0] for row in rows] == ["tandem", "ials"]
    assert all(len(row) == len(heading) for row in rows)
    said = "\n".join(notes(report))
    assert "ials: failed: out of memory" in said
    assert "2 answers were DEGRADED (rank: timeout 2)" in said
    assert "a sample of 12 of 24 requests" in said


def test_a_result_that_does_not_fit_its_trial_is_refused(trial: Trial, tmp_path: Path) -> None:
    fine = result(trial, 0)
    write_result(tmp_path, fine.ranked, fine.label_scores, {"seconds": 1.0})
    assert read_result(tmp_path, trial) is not None
    write_result(tmp_path, fine.ranked[1:], fine.label_scores, {})
    with pytest.raises(ValueError, match="11 lists for 12 requests"):
        read_result(tmp_path, trial)
    write_result(tmp_path, fine.ranked + 100, fine.label_scores, {})
    with pytest.raises(ValueError, match="do not exist"):
        read_result(tmp_path, trial)
    assert read_result(tmp_path / "nothing", trial) is None
