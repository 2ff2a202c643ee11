"""Candidates as sources found them."""

import numpy as np

from training.sources import Found


def test_given_items_keep_their_hits_and_what_was_not_found_has_none() -> None:
    rows = np.array([7, 3, 9], np.int32)
    scores = np.array([[0.5, 0.0], [0.0, 2.0], [1.0, 1.0]], np.float32)
    ranks = np.array([[2, 0], [0, 1], [1, 2]], np.int32)
    found = Found(rows, scores, ranks).only(np.array([9, 4, 7], np.int32))
    assert found.rows.tolist() == [9, 4, 7]
    assert found.ranks.tolist() == [[1, 2], [0, 0], [2, 0]]
    assert found.scores.tolist() == [[1.0, 1.0], [0.0, 0.0], [0.5, 0.0]]
    nothing = Found(rows[:0], scores[:0], ranks[:0]).only(rows)
    assert nothing.ranks.tolist() == [[0, 0]] * 3
