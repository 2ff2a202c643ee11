"""Length-similar groups."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.text_encoding import grouping

LENGTHS = st.lists(st.integers(1, 512), min_size=1, max_size=64)


@given(LENGTHS, st.integers(0, 4096), st.integers(512, 8192))
def test_a_group_holds_the_first_text_and_neighbours_in_length_shortest_first(
    lengths: list[int], call_cost: int, tokens_max: int
) -> None:
    group = grouping.similar_to_first(lengths, call_cost, tokens_max)
    assert 0 in group
    assert len(set(group)) == len(group)
    chosen = [lengths[place] for place in group]
    assert chosen == sorted(chosen)
    between = [length for length in lengths if chosen[0] < length < chosen[-1]]
    assert len(between) == sum(chosen[0] < length < chosen[-1] for length in chosen)


@given(LENGTHS, st.integers(0, 4096), st.integers(512, 8192))
def test_each_text_that_comes_along_brings_no_more_padding_than_a_call_costs(
    lengths: list[int], call_cost: int, tokens_max: int
) -> None:
    chosen = [lengths[place] for place in grouping.similar_to_first(lengths, call_cost, tokens_max)]
    padding = len(chosen) * chosen[-1] - sum(chosen)
    assert padding <= call_cost * (len(chosen) - 1)
    assert len(chosen) * chosen[-1] <= tokens_max


def test_without_a_cost_of_calls_only_equal_lengths_share_one() -> None:
    assert sorted(grouping.similar_to_first([5, 3, 5, 9, 5], 0, 1000)) == [0, 2, 4]


def test_the_nearer_length_comes_first() -> None:
    assert grouping.similar_to_first([10, 14, 9, 20], 4, 1000) == [2, 0]
    assert grouping.similar_to_first([10, 11, 2, 20], 4, 1000) == [0, 1]


def test_no_more_tokens_than_allowed_come_together() -> None:
    assert len(grouping.similar_to_first([10] * 50, 16, 100)) == 10
    assert grouping.similar_to_first([200, 200], 16, 100) == [0]


def test_padding_is_masked() -> None:
    tokens, mask = grouping.pad([[7, 8, 9], [5]], pad_id=1)
    assert tokens.tolist() == [[7, 8, 9], [5, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
