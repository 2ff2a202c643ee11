import numpy as np
import pytest

from tandem_cli.failure import CommandFailed
from tandem_cli.load.schedule import Step, arrivals, steps_of


def test_rates_come_before_the_ramp_and_warming_up_before_both():
    steps = steps_of([3.0], "10:20:3", 5.0, warm_up_s=2.0)
    assert steps == [
        Step(3.0, 2.0, counted=False),
        Step(3.0, 5.0),
        Step(10.0, 5.0),
        Step(15.0, 5.0),
        Step(20.0, 5.0),
    ]


@pytest.mark.parametrize(
    ("rates", "ramp", "names"),
    [
        ([], "", "--rate"),
        ([0.0], "", "above 0"),
        ([], "1:2", "FROM:TO:STEPS"),
        ([], "1:x:3", "FROM:TO:STEPS"),
        ([], "-5:5:3", "above 0"),
        ([1e9], "", "fewer"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_by_name(rates, ramp, names):
    with pytest.raises(CommandFailed, match=names):
        steps_of(rates, ramp, 10.0)


def test_arrivals_keep_to_their_steps_in_order():
    steps = [Step(50.0, 2.0), Step(200.0, 3.0)]
    times, places = arrivals(steps, np.random.default_rng(0))
    assert (np.diff(times) >= 0).all()
    assert (np.diff(places) >= 0).all()
    assert times[places == 0].max() < 2.0 <= times[places == 1].min()
    assert times.max() < 5.0


def test_arrivals_are_a_poisson_process():
    times, _ = arrivals([Step(100.0, 400.0)], np.random.default_rng(1))
    gaps = np.diff(times)
    # Exponential gaps: the deviation is the mean, and a share of 1 - 1/e is shorter than it.
    assert gaps.mean() == pytest.approx(0.01, rel=0.02)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)
    assert (gaps < gaps.mean()).mean() == pytest.approx(1 - np.exp(-1), abs=0.01)
    # Counts of seconds vary as much as their mean, as those of a fixed rhythm would not.
    counts = np.bincount(times.astype(int), minlength=400)
    assert counts.var() == pytest.approx(100, rel=0.2)


def test_the_same_seed_gives_the_same_arrivals():
    one, other = (arrivals([Step(20.0, 5.0)], np.random.default_rng(7))[0] for _ in range(2))
    assert np.array_equal(one, other)
