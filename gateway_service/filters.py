"""Tells whether an item satisfies a filter."""

from collections.abc import Sequence
from typing import Any

from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue, Item

Value = str | float | bool


def satisfies(item: Item, node: Filter) -> bool:
    """Return whether a checked filter holds for an item."""
    match node.WhichOneof("node"):
        case "condition":
            return _holds(item, node.condition)
        case "all_of":
            return all(satisfies(item, member) for member in node.all_of.filters)
        case "any_of":
            return any(satisfies(item, member) for member in node.any_of.filters)
        case "not":
            return not satisfies(item, getattr(node, "not"))
        case _:
            return True


def _holds(item: Item, condition: Condition) -> bool:
    held = _values_of(item, condition.attribute)
    wanted = [_value(value) for value in condition.values]
    match condition.operator:
        case filter_pb2.OPERATOR_EQUAL | filter_pb2.OPERATOR_IN:
            return any(value in wanted for value in held)
        case filter_pb2.OPERATOR_NOT_EQUAL | filter_pb2.OPERATOR_NOT_IN:
            return not any(value in wanted for value in held)
        case _:
            return any(_compares(value, condition.operator, wanted[0]) for value in held)


def _compares(value: Any, operator: filter_pb2.Operator.ValueType, limit: Any) -> bool:
    if isinstance(value, str) is not isinstance(limit, str):
        return False
    order: int = (value > limit) - (value < limit)
    match operator:
        case filter_pb2.OPERATOR_LESS:
            return order < 0
        case filter_pb2.OPERATOR_LESS_OR_EQUAL:
            return order <= 0
        case filter_pb2.OPERATOR_GREATER:
            return order > 0
        case _:
            return order >= 0


def _values_of(item: Item, attribute: str) -> Sequence[Value]:
    """Return what an item has of an attribute: nothing, one value, or several."""
    match attribute:
        case "categories":
            return list(item.categories)
        case "tags":
            return list(item.tags)
        case "brand":
            return [item.brand] if item.brand else []
        case "language_code":
            return [item.language_code] if item.language_code else []
        case "create_time":
            return [item.create_time.seconds] if item.HasField("create_time") else []
        case "latitude":
            return [item.place.latitude] if item.HasField("place") else []
        case "longitude":
            return [item.place.longitude] if item.HasField("place") else []
        case name:
            return [_value(item.attributes[name])] if name in item.attributes else []


def _value(value: AttributeValue) -> Value:
    held: Value = getattr(value, value.WhichOneof("kind") or "string_value")
    return held
