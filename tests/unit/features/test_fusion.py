"""One list from those of several sources."""

import pytest

from features.fusion import SourceWeights, named_weights
from tandem.v1.candidate_pb2 import Source

CF, SEMANTIC, POPULAR = Source.SOURCE_CF, Source.SOURCE_SEMANTIC, Source.SOURCE_POPULAR


def first(fused: dict[str, float]) -> str:
    return max(fused, key=fused.__getitem__)


def test_an_item_that_two_sources_found_comes_before_those_of_one() -> None:
    fused = SourceWeights().fuse({CF: ["a", "b"], SEMANTIC: ["c", "b"]}, words_weight=0.0)
    assert first(fused) == "b"


def test_a_better_source_counts_for_more() -> None:
    lists = {CF: ["a"], POPULAR: ["b"]}
    assert first(SourceWeights({CF: 1.0, POPULAR: 0.3}).fuse(lists, words_weight=0.0)) == "a"
    assert first(SourceWeights({CF: 0.3, POPULAR: 1.0}).fuse(lists, words_weight=0.0)) == "b"


def test_what_is_said_is_listened_to_however_little_meaning_finds_for_others() -> None:
    weights, lists = SourceWeights({CF: 0.9, SEMANTIC: 0.1}), {CF: ["a"], SEMANTIC: ["b"]}
    assert first(weights.fuse(lists, words_weight=0.0)) == "a"
    assert first(weights.fuse(lists, words_weight=1.0)) == "b"


def test_weights_survive_a_manifest() -> None:
    weights = SourceWeights({CF: 1.0, SEMANTIC: 0.25}, {SEMANTIC: 1.0})
    kept = {"usual": {"cf": 1.0, "semantic": 0.25}, "newcomers": {"semantic": 1.0}}
    assert weights.by_name() == kept
    assert named_weights(weights.by_name()) == weights
    with pytest.raises(ValueError, match="SOURCE_ORACLE"):
        named_weights({"usual": {"oracle": 1.0}})


def test_who_has_no_history_is_known_by_words_alone() -> None:
    weights = SourceWeights({SEMANTIC: 0.1, POPULAR: 0.5}, {SEMANTIC: 0.4, POPULAR: 1.0})
    lists = {SEMANTIC: ["a"], POPULAR: ["b"]}
    assert first(weights.fuse(lists, words_weight=1.0)) == "a"
    assert first(weights.fuse(lists, words_weight=1.0, newcomer=True)) == "b"
    assert first(weights.fuse(lists, words_weight=4.0, newcomer=True)) == "a"
