"""Evaluates filters on items in memory. It says what a filter means; the compiler follows it."""

import operator
from collections.abc import Callable

from features.item_attributes import BUILT_IN, Type, Value, reader, reader_of_list
from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter, Operator
from tandem.v1.item_pb2 import Item

Predicate = Callable[[Item], bool]
_COMPARISONS: dict[Operator.ValueType, Callable[[Value, Value], bool]] = {
    filter_pb2.OPERATOR_LESS: operator.lt,
    filter_pb2.OPERATOR_LESS_OR_EQUAL: operator.le,
    filter_pb2.OPERATOR_GREATER: operator.gt,
    filter_pb2.OPERATOR_GREATER_OR_EQUAL: operator.ge,
}
_NEGATIVE = (filter_pb2.OPERATOR_NOT_EQUAL, filter_pb2.OPERATOR_NOT_IN)


def predicate(node: Filter) -> Predicate:
    """Return a checked filter as a function of an item."""
    match kind := node.WhichOneof("node"):
        case "condition":
            return _condition(node.condition)
        case "not":
            inner = predicate(negated(node))
            return lambda item: not inner(item)
        case "all_of":
            parts = [predicate(child) for child in node.all_of.filters]
            return lambda item: all(part(item) for part in parts)
        case "any_of":
            parts = [predicate(child) for child in node.any_of.filters]
            return lambda item: any(part(item) for part in parts)
        case None:
            raise AssertionError(f"a checked filter has no node {kind}")


def negated(node: Filter) -> Filter:
    """Return the filter inside a `not`, which Python cannot name as an attribute."""
    inner: Filter = getattr(node, "not")
    return inner


def condition_values(condition: Condition) -> list[Value]:
    """Return the values of a condition as Python knows them."""
    return [getattr(value, value.WhichOneof("kind") or "") for value in condition.values]


def _condition(condition: Condition) -> Predicate:
    attribute, values = condition.attribute, condition_values(condition)
    if (compare := _COMPARISONS.get(condition.operator)) is not None:
        if BUILT_IN.get(attribute) == Type.STRINGS:
            return lambda _: False  # lists have no order
        limit, read = values[0], reader(attribute)

        def compares(item: Item) -> bool:
            value = read(item)
            # A caller that does not know the catalogue's types may compare a text with a number.
            alike = isinstance(value, str) is isinstance(limit, str)
            return value is not None and alike and compare(value, limit)

        return compares
    wanted = frozenset(values)
    if BUILT_IN.get(attribute) == Type.STRINGS:
        read_list = reader_of_list(attribute)

        def found(item: Item) -> bool:
            return not wanted.isdisjoint(read_list(item))

    else:
        read_one = reader(attribute)

        def found(item: Item) -> bool:
            return read_one(item) in wanted

    if condition.operator in _NEGATIVE:
        return lambda item: not found(item)
    return found
