"""What each source counts."""

import numpy as np

from features.candidates import SOURCES
from training.source_weights import TARGETS_LEAST, WEIGHT_LEAST, weights_of


def test_a_source_counts_as_many_targets_as_it_finds() -> None:
    found = np.zeros(len(SOURCES))
    found[:3] = [20, 40, 30]
    weights = weights_of(found, 60)
    assert [weights[source] for source in SOURCES[:3]] == [0.5, 1.0, 0.75]


def test_no_source_is_silenced() -> None:
    found = np.eye(len(SOURCES))[0] * 50
    assert weights_of(found, 60)[SOURCES[-1]] == WEIGHT_LEAST


def test_a_few_targets_say_nothing() -> None:
    found = np.arange(len(SOURCES), dtype=float)
    assert weights_of(found, TARGETS_LEAST - 1) == {}
    assert weights_of(found * 0, TARGETS_LEAST) == {}
