"""A gain counts if it is clearly more than chance."""

import numpy as np
import pytest

from training.clearly import clearly_better


@pytest.mark.filterwarnings("error")
def test_of_nothing_nothing_is_better() -> None:
    assert not clearly_better(np.zeros(0))


def test_a_gain_is_clear_beyond_two_standard_errors_and_beyond_another() -> None:
    noise = np.tile([-1.0, 1.0], 50)  # a standard error of 0.1
    assert not clearly_better(noise + 0.19)
    assert clearly_better(noise + 0.21)
    assert not clearly_better(noise + 0.21, than=0.3)
    assert not clearly_better(noise - 1.0)
