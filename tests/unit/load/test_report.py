import numpy as np
import pytest

from tandem_cli.load.report import percentiles_ms, report, report_of_step
from tandem_cli.load.schedule import Step
from tandem_cli.load.sender import OK, Outcome


def answered(taken_s, *, step=0, full=True, **stages_ms):
    return Outcome(step, 0.0, taken_s, OK, full, stages_ms=stages_ms)


def test_percentiles_are_values_that_occurred():
    taken = np.random.default_rng(0).permutation(np.arange(1, 1001)) / 1000
    assert percentiles_ms(taken) == {
        "p50": 500.0,
        "p90": 900.0,
        "p99": 990.0,
        "p99.9": 999.0,
        "max": 1000.0,
    }


def test_a_percentile_that_too_few_have_is_not_told():
    assert percentiles_ms([0.003]) == {
        "p50": None, "p90": None, "p99": None, "p99.9": None, "max": 3.0,
    }  # fmt: skip
    told = percentiles_ms([0.001] * 99 + [1.0])
    assert told["p99"] == 1.0
    assert told["p99.9"] is None
    assert percentiles_ms([])["max"] is None


def test_goodput_counts_full_answers_in_time_and_nothing_else():
    outcomes = [
        answered(0.1),
        answered(0.4),
        answered(0.6),  # too late
        answered(0.1, full=False),  # degraded
        Outcome(0, 0.0, 0.002, "RESOURCE_EXHAUSTED", hinted=True),
        Outcome(0, 0.0, 0.004, "RESOURCE_EXHAUSTED"),
        Outcome(0, 0.0, 2.0, "DEADLINE_EXCEEDED"),
    ]
    told = report_of_step(Step(3.5, 2.0), outcomes, within_s=0.5)
    assert told["arrivals"] == 7
    assert told["answered"] == 4
    assert told["goodput_per_s"] == 1.0
    assert told["good_share"] == pytest.approx(2 / 7)
    assert told["degraded_share"] == 0.25
    assert told["not_answered"] == {"RESOURCE_EXHAUSTED": 2, "DEADLINE_EXCEEDED": 1}
    assert told["hinted_share"] == 0.5
    assert told["latency_ms"]["max"] == 600.0
    assert told["not_answered_ms"]["max"] == 2000.0


def test_each_step_is_told_apart_and_warming_up_is_left_out():
    steps = [Step(1.0, 1.0, counted=False), Step(1.0, 1.0), Step(2.0, 1.0)]
    outcomes = [answered(9.0), answered(0.1, step=1), answered(0.2, step=2), answered(0.3, step=2)]
    told = report(steps, outcomes, within_s=1.0)
    assert [step["arrivals"] for step in told] == [1, 2]
    assert [step["latency_ms"]["max"] for step in told] == [100.0, 300.0]


def test_stages_are_medians_over_the_answers_that_have_them():
    outcomes = [answered(0.1, rank=10.0), answered(0.1, rank=30.0, check=2.0), answered(0.1)]
    told = report_of_step(Step(1.0, 1.0), outcomes, within_s=1.0)
    assert told["stage_medians_ms"] == {"rank": 20.0, "check": 2.0}


def test_a_step_without_arrivals_has_no_shares():
    told = report_of_step(Step(0.1, 1.0), [], within_s=1.0)
    assert told["goodput_per_s"] == 0.0
    assert told["good_share"] is None
    assert told["degraded_share"] is None
