import pytest

from tandem.v1 import filter_pb2
from tandem_cli.failure import CommandFailed
from tandem_cli.filters import parse_filters


def test_no_filter_is_no_filter():
    assert parse_filters([]) is None


def test_one_condition_stands_alone():
    parsed = parse_filters(["categories=Drama"])
    assert parsed is not None
    assert parsed.condition.attribute == "categories"
    assert parsed.condition.operator == filter_pb2.OPERATOR_EQUAL
    assert parsed.condition.values[0].string_value == "Drama"


def test_several_conditions_must_all_hold():
    parsed = parse_filters(["categories=Drama", "price<=20"])
    assert parsed is not None
    assert [f.condition.attribute for f in parsed.all_of.filters] == ["categories", "price"]


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("a=3", "int64_value"),
        ("a=-3", "int64_value"),
        ("a=3.5", "double_value"),
        ("a=true", "bool_value"),
        ("a=three", "string_value"),
        ('a="3"', "string_value"),
        ("a=2001: A Space Odyssey", "string_value"),
    ],
)
def test_a_value_has_the_type_that_it_looks_like(typed, kind):
    parsed = parse_filters([typed])
    assert parsed is not None
    assert parsed.condition.values[0].WhichOneof("kind") == kind


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("=", filter_pb2.OPERATOR_EQUAL),
        ("!=", filter_pb2.OPERATOR_NOT_EQUAL),
        ("<", filter_pb2.OPERATOR_LESS),
        ("<=", filter_pb2.OPERATOR_LESS_OR_EQUAL),
        (">", filter_pb2.OPERATOR_GREATER),
        (">=", filter_pb2.OPERATOR_GREATER_OR_EQUAL),
    ],
)
def test_every_comparison_can_be_typed(operator, expected):
    parsed = parse_filters([f"price {operator} 3"])
    assert parsed is not None
    assert parsed.condition.operator == expected


def test_commas_make_a_list_but_not_inside_quotes():
    parsed = parse_filters(['tags!=a, "b,c"'])
    assert parsed is not None
    assert parsed.condition.operator == filter_pb2.OPERATOR_NOT_IN
    assert [v.string_value for v in parsed.condition.values] == ["a", "b,c"]


@pytest.mark.parametrize("typed", ["", "price", "=3", "Price=3", "price=", "price<1,2"])
def test_what_cannot_be_read_is_refused_with_the_text(typed):
    with pytest.raises(CommandFailed, match="--filter"):
        parse_filters([typed])
