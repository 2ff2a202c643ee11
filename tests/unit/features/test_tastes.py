from pathlib import Path

import numpy as np
import pytest

from features.tastes import Tastes, read_tastes

# Two tags, tea and coffee; three items: one that all like, one for each of the two.
TASTES = Tastes(
    of_all=np.array([60.0, 20.0, 30.0], np.float32),
    people=100.0,
    said_by=np.array([40.0, 50.0], np.float32),
    starts=np.array([0, 2, 4]),
    rows=np.array([0, 1, 0, 2], np.int32),
    sums=np.array([20.0, 20.0, 30.0, 30.0], np.float32),
)
EVERY = np.arange(3)


def asked(*confidences: float) -> np.ndarray:
    return np.array(confidences, np.float32)


def test_without_words_it_is_what_all_like() -> None:
    found = TASTES.popularity(asked(0, 0), EVERY)
    np.testing.assert_allclose(found, np.log1p(TASTES.of_all) / np.log1p(60.0), rtol=1e-5)
    assert found[0] == pytest.approx(1.0)


def test_what_people_of_a_taste_like_comes_before_what_others_like() -> None:
    tea, coffee = TASTES.popularity(asked(1, 0), EVERY), TASTES.popularity(asked(0, 1), EVERY)
    assert tea[1] > tea[2]
    assert coffee[2] > coffee[1]


def test_a_tag_counts_as_much_as_it_is_sure_and_as_people_name_it() -> None:
    quiet, unsure, sure = (TASTES.popularity(asked(c, 0), EVERY)[1] for c in (0.0, 0.3, 1.0))
    assert quiet < unsure < sure
    # Whom nobody else is like is told what all like.
    nobody = Tastes(
        TASTES.of_all,
        100.0,
        np.zeros(2, np.float32),
        np.zeros(3, np.int64),
        np.zeros(0, np.int32),
        np.zeros(0, np.float32),
    )
    np.testing.assert_allclose(
        nobody.popularity(asked(1, 0), EVERY), nobody.popularity(asked(0, 0), EVERY), rtol=1e-5
    )


def test_several_tags_are_taken_together() -> None:
    both = TASTES.popularity(asked(1, 1), EVERY)
    tea, coffee = TASTES.popularity(asked(1, 0), EVERY), TASTES.popularity(asked(0, 1), EVERY)
    assert coffee[1] < both[1] < tea[1]
    assert tea[2] < both[2] < coffee[2]


def test_some_items_have_what_they_have_among_all() -> None:
    rows = np.array([2, 0, -1, 2])
    for sure in (asked(0, 0), asked(1, 0.5)):
        every = np.append(TASTES.popularity(sure, EVERY), 0.0)
        np.testing.assert_allclose(TASTES.popularity(sure, rows), every[rows], rtol=1e-6)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    TASTES.save(tmp_path)
    read = read_tastes(tmp_path)
    assert isinstance(read.people, float)
    np.testing.assert_array_equal(
        read.popularity(asked(1, 0.5), EVERY), TASTES.popularity(asked(1, 0.5), EVERY)
    )
