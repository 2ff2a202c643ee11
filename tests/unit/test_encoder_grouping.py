"""Length-similar groups."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.text_encoding import grouping

LENGTHS = st.lists(st.integers(1, 512), min_size=1, max_size=64)


@given(LENGTHS, st.integers(0, 4096))
def test_every_text_is_in_one_group_and_the_longest_group_is_first(
    lengths: list[int], call_cost: int
) -> None:
    groups = grouping.group_by_length(lengths, call_cost)
    assert sorted(np.concatenate(groups)) == list(range(len(lengths)))
    longest = [max(lengths[index] for index in group) for group in groups]
    assert longest == sorted(longest, reverse=True)


@given(LENGTHS, st.integers(0, 4096))
def test_groups_never_cost_more_than_one_padded_batch(lengths: list[int], call_cost: int) -> None:
    groups = grouping.group_by_length(lengths, call_cost)
    padded = [len(group) * max(lengths[index] for index in group) for group in groups]
    grouped = sum(padded) + call_cost * len(groups)
    assert grouped <= len(lengths) * max(lengths) + call_cost


def test_without_a_cost_of_calls_nothing_is_padded() -> None:
    groups = grouping.group_by_length([5, 3, 5, 9, 3], 0)
    assert [group.tolist() for group in groups] == [[3], [0, 2], [1, 4]]


def test_padding_is_masked() -> None:
    tokens, mask = grouping.pad([[7, 8, 9], [5]], pad_id=1)
    assert tokens.tolist() == [[7, 8, 9], [5, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
