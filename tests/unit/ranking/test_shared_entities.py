import numpy as np

from features.entities import AN_ITEM, ANY_RELATION, ItemEntities
from ranking_service.shared_entities import SharedEntities
from tandem.v1.candidate_pb2 import Reason, ReasonKind
from tandem.v1.item_pb2 import Item

# a and b have one director, whom c has as its actor; c is a sequel of d; a and d have a school over
# their directors.
ENTITIES = ItemEntities(
    relations=["actor", "director", "school", "sequel_of"],
    scopes=[ANY_RELATION, ANY_RELATION, AN_ITEM, "brand"],
    names=["Ann", "North", "d", "nobody's"],
    shown=["Ann", "North", "The first part", "nobody's"],
    starts=np.array([0, 2, 3, 5, 7]),
    entities=np.array([0, 1, 0, 0, 2, 1, 2], np.int32),
    kinds=np.array([1, 2, 1, 0, 3, 2, 3], np.int32),
    far=np.array([False, True, False, False, False, True, False]),
    worth=np.ones(4, np.float32),
)
A, B, C, D = range(4)


def told(liked: list[int], row: int, item_id: str, new: Item | None = None) -> Reason | None:
    weights = np.ones(len(liked), np.float32)
    ids = ["abcd"[one] if one >= 0 else "?" for one in liked]
    shared = SharedEntities(ENTITIES, np.array(liked, np.int32), weights, ids)
    return shared.reason(item_id, row, new, 0.5)


def facts(reason: Reason | None) -> tuple[str, str, str] | None:
    return reason and (reason.item_id, reason.relation, reason.entity)


def test_the_relation_and_the_entity_are_named() -> None:
    reason = told([A, -1], B, "b")
    assert reason is not None
    assert reason.kind == ReasonKind.REASON_KIND_SHARED_ENTITY
    assert reason.weight == 0.5
    assert facts(reason) == ("a", "director", "Ann")


def test_other_relations_with_one_entity_are_not_called_the_same() -> None:
    assert facts(told([A], C, "c")) == ("a", "", "Ann")
    assert facts(told([C, A], B, "b")) == ("a", "director", "Ann")


def test_items_that_are_linked_with_each_other_name_how() -> None:
    assert facts(told([D], C, "c")) == ("d", "sequel_of", "")
    assert facts(told([C], D, "d")) == ("c", "sequel_of", "")


def test_what_is_shared_over_another_entity_has_no_relation_of_its_own() -> None:
    assert facts(told([A], D, "d")) == ("a", "", "North")


def test_there_is_no_reason_without_a_link() -> None:
    assert told([B], D, "d") is None
    assert told([], B, "b") is None
    assert told([A], A, "a") is None, "it is the same item"
    assert told([A], -1, "new") is None


def test_a_new_items_attributes_tell() -> None:
    new = Item(item_id="new")
    new.attributes["director"].string_value = "Zoe|Ann"
    assert facts(told([A, B], -1, "new", new)) == ("a", "director", "Ann")
