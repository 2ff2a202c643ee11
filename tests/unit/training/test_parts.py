import pytest

from features.candidates import FEATURES
from models.ranker.config import TREES
from training.errors import TrainingError
from training.parts import CF, PARTS, TEXT, parts_of


def test_the_whole_withholds_nothing() -> None:
    assert parts_of("all").withheld == []


def test_text_alone_knows_nothing_of_collaborative_filtering() -> None:
    seen = set(FEATURES) - set(PARTS["text"].withheld)
    assert seen == set(TEXT)
    assert not seen & set(CF)
    assert not PARTS["text"].ids


def test_every_withheld_feature_exists() -> None:
    for parts in PARTS.values():
        assert set(parts.withheld) <= set(FEATURES)


def test_trees_see_what_the_additive_head_sees() -> None:
    trees, additive = parts_of("trees"), parts_of("features")
    assert trees.head == TREES != additive.head
    assert (trees.withheld, trees.language) == (additive.withheld, additive.language)


def test_unknown_parts_are_named() -> None:
    with pytest.raises(TrainingError, match="parts=soup"):
        parts_of("soup")
