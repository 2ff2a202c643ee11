"""Filters: which are refused, and what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.item_attributes import known_attributes
from features.item_filter import predicate
from retrieval_service.filters.checks import check_filter
from retrieval_service.filters.compiler import AVAILABLE, compile_filter
from retrieval_service.filters.literals import literal
from serving.errors import InvalidField
from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter, FilterList, Operator
from tandem.v1.item_pb2 import AttributeValue, Item
from tests.support.filters import SCHEMA, filters, items

KNOWN = known_attributes(SCHEMA)
TYPE_OF_PYTHON = {
    str: "string_value",
    bool: "bool_value",
    int: "int64_value",
    float: "double_value",
}


def condition(attribute: str, operator: str, *values: str | float | bool) -> Filter:
    typed = [AttributeValue(**{TYPE_OF_PYTHON[type(value)]: value}) for value in values]
    number = Operator.Value(f"OPERATOR_{operator}")
    return Filter(condition=Condition(attribute=attribute, operator=number, values=typed))


def passes(node: Filter, item: Item) -> bool:
    check_filter("filter", node, KNOWN)
    return predicate(node)(item)


@given(filters, items("i"))
def test_a_filter_and_its_negation_share_out_all_items(node: Filter, item: Item) -> None:
    assert passes(node, item) != predicate(Filter(**{"not": node}))(item)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("EQUAL", False),
        ("NOT_EQUAL", True),
        ("IN", False),
        ("NOT_IN", True),
        ("LESS", False),
        ("LESS_OR_EQUAL", False),
        ("GREATER", False),
        ("GREATER_OR_EQUAL", False),
    ],
)
def test_an_item_without_the_attribute_matches_negations_only(
    operator: str, expected: bool
) -> None:
    for attribute, value in [("price", 0.0), ("pages", 0), ("colour", ""), ("latitude", 0.0)]:
        assert passes(condition(attribute, operator, value), Item()) is expected


def test_lists_are_compared_by_what_they_contain() -> None:
    item = Item(categories=["film", "war"], tags=[])
    assert passes(condition("categories", "EQUAL", "war"), item)
    assert not passes(condition("categories", "NOT_EQUAL", "war"), item)
    assert passes(condition("categories", "IN", "peace", "film"), item)
    assert passes(condition("categories", "NOT_IN", "peace"), item)
    assert not passes(condition("tags", "EQUAL", ""), item)


def test_times_are_seconds_and_places_degrees() -> None:
    item = Item()
    item.create_time.FromMilliseconds(1_500)
    item.place.latitude = -12.5
    assert passes(condition("create_time", "GREATER", 1), item)
    assert passes(condition("create_time", "LESS_OR_EQUAL", 1.5), item)
    assert passes(condition("latitude", "LESS", -12.0), item)
    assert passes(condition("longitude", "EQUAL", 0.0), item)


def test_whole_numbers_compare_with_numbers_but_not_with_strings() -> None:
    item = Item()
    item.attributes["price"].double_value = 10.0
    assert passes(condition("price", "EQUAL", 10), item)
    with pytest.raises(InvalidField, match="'price' is double"):
        check_filter("filter", condition("price", "EQUAL", "10"), KNOWN)


def test_an_unknown_attribute_is_named_with_the_known_ones() -> None:
    inner = FilterList(filters=[condition("brand", "EQUAL", "x"), condition("size", "EQUAL", "x")])
    with pytest.raises(InvalidField) as raised:
        check_filter("filter", Filter(**{"not": Filter(any_of=inner)}), KNOWN)
    assert raised.value.field == "filter.not.any_of.filters[1].condition.attribute"
    assert "'size'" in raised.value.problem
    assert "brand, categories, colour" in raised.value.problem


def deep(levels: int) -> Filter:
    node = condition("brand", "EQUAL", "x")
    for _ in range(levels - 1):
        node = Filter(**{"not": node})
    return node


def wide(count: int) -> Filter:
    return Filter(all_of=FilterList(filters=[condition("brand", "EQUAL", "x")] * count))


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (Filter(), "must be a condition"),
        (Filter(all_of=FilterList()), "1 to 32 entries"),
        (wide(33), "1 to 32 entries"),
        (Filter(any_of=FilterList(filters=[wide(31), wide(31), wide(9)])), "at most 72 nodes"),
        (deep(10), "at most 9 nodes deep"),
        (condition("brand", "UNSPECIFIED", "x"), "operators"),
        (Filter(condition=Condition(attribute="brand", operator=99)), "operators"),  # type: ignore[arg-type]
        (condition("brand", "EQUAL"), "entries"),
        (condition("brand", "EQUAL", "x", "y"), "entries"),
        (condition("brand", "IN", *["x"] * 257), "1 to 256 entries"),
        (condition("used", "LESS", True), "no order"),
        (condition("tags", "GREATER", "x"), "no order"),
        (condition("price", "LESS", float("nan")), "finite"),
        (condition("pages", "LESS", -(2**63)), "must be from"),
        (condition("brand", "EQUAL", "x" * 1_025), "1,024 bytes"),
        (
            Filter(
                condition=Condition(
                    attribute="brand",
                    operator=filter_pb2.OPERATOR_EQUAL,
                    values=[AttributeValue()],
                )
            ),
            "must be a string_value",
        ),
    ],
)
def test_a_filter_out_of_bounds_is_refused(node: Filter, problem: str) -> None:
    with pytest.raises(InvalidField, match=problem):
        check_filter("filter", node, KNOWN)


def test_the_largest_filters_are_taken() -> None:
    check_filter("filter", deep(9), KNOWN)
    check_filter("filter", Filter(all_of=FilterList(filters=[wide(31), wide(30)])), KNOWN)


def read_literal(text: str) -> str:
    """Read a Milvus string literal as its grammar does: one pass, backslash before an escape."""
    assert text[0] == '"'
    out, place = [], 1
    while text[place] != '"':
        assert text[place] not in "\r\n", "a line break ends the literal"
        if text[place] == "\\":
            place += 1
            out.append({"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}[text[place]])
        else:
            out.append(text[place])
        place += 1
    assert place == len(text) - 1, "the literal ended before its end"
    return "".join(out)


@given(st.text())
def test_a_string_literal_holds_the_whole_string_and_nothing_else(text: str) -> None:
    assert read_literal(literal(text)) == text


def test_what_has_no_column_is_left_to_the_check_in_memory() -> None:
    used, price = condition("used", "EQUAL", True), condition("price", "LESS", 3.0)
    assert compile_filter(None, KNOWN, []) == AVAILABLE
    assert compile_filter(used, KNOWN, ["price"]) == AVAILABLE
    both, either = FilterList(filters=[used, price]), FilterList(filters=[used, price])
    compiled = compile_filter(Filter(all_of=both), KNOWN, ["price"])
    assert "attr_price < 3.0" in compiled
    assert "used" not in compiled
    assert compile_filter(Filter(any_of=either), KNOWN, ["price"]) == AVAILABLE


def test_an_expression_that_would_be_too_long_is_left_to_the_check_in_memory() -> None:
    long = condition("brand", "IN", *(f"{n:1000}" for n in range(256)))
    check_filter("filter", long, KNOWN)
    assert compile_filter(long, KNOWN, []) == AVAILABLE
