from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from features.candidates import SOURCES
from training.evaluation.candidate_recall import candidate_recall, recall_lines
from training.examples import Example


def example(found_at: int, first_source: int) -> Example:
    ranks = np.zeros((max(found_at + 1, 1), len(SOURCES)), np.int32)
    ranks[found_at, 0] = first_source
    return cast(Example, SimpleNamespace(found=SimpleNamespace(ranks=ranks), found_at=found_at))


def test_a_target_counts_where_a_source_found_it_early_enough() -> None:
    recall = candidate_recall([example(3, 40), example(70, 120), example(-1, 0), example(9, 0)])
    first, *others = [values for name, values in recall.items() if name != "union"]
    assert first == {"recall@50": 0.25, "recall@200": 0.5, "recall@500": 0.5}
    assert not any(sum(values.values()) for values in others)
    assert recall["union"] == pytest.approx(
        {"recall@50": 0.5, "recall@200": 0.75, "recall@500": 0.75}
    )
    assert len(recall_lines(recall)) == len(SOURCES) + 2


def test_no_targets_have_no_recall() -> None:
    assert candidate_recall([]) == {}
    assert recall_lines({}) == []
