"""Checks of filters: their shape, and whether the catalogue knows their attributes."""

from collections.abc import Mapping

from features.item_attributes import ORDERED, Type
from features.item_filter import negated
from retrieval_service.catalogue.checks import check_value
from serving.errors import InvalidField
from serving.validation import check_size
from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter, Operator
from tandem.v1.item_pb2 import AttributeValue

# Beyond what the gateway's callers may send: it adds what their words rule out to their filter.
NODES_MAX = 72
DEPTH_MAX = 9
LIST_MAX = 32
VALUES_MAX = 256
_SHOWN_MAX = 30
LISTS = (filter_pb2.OPERATOR_IN, filter_pb2.OPERATOR_NOT_IN)
EQUALITY = (*LISTS, filter_pb2.OPERATOR_EQUAL, filter_pb2.OPERATOR_NOT_EQUAL)
_KINDS: Mapping[Type, tuple[str, ...]] = {
    Type.STRING: ("string_value",),
    Type.STRINGS: ("string_value",),
    Type.INT64: ("int64_value",),
    # A whole number is a number, too.
    Type.DOUBLE: ("double_value", "int64_value"),
    Type.BOOL: ("bool_value",),
}


def check_filter(field: str, root: Filter, known: Mapping[str, Type]) -> None:
    """Check a filter against the attributes that are known. Raises InvalidField."""
    waiting = [(field, root, 1)]
    nodes = 0
    while waiting:
        path, node, depth = waiting.pop()
        nodes += 1
        if nodes > NODES_MAX:
            raise InvalidField(field, f"must have at most {NODES_MAX} nodes")
        if depth > DEPTH_MAX:
            raise InvalidField(path, f"must be at most {DEPTH_MAX} nodes deep")
        match kind := node.WhichOneof("node"):
            case "condition":
                _check_condition(f"{path}.condition", node.condition, known)
            case "not":
                waiting.append((f"{path}.not", negated(node), depth + 1))
            case "all_of" | "any_of":
                filters = (node.all_of if kind == "all_of" else node.any_of).filters
                check_size(f"{path}.{kind}.filters", filters, low=1, high=LIST_MAX)
                waiting += [
                    (f"{path}.{kind}.filters[{place}]", child, depth + 1)
                    for place, child in enumerate(filters)
                ]
            case None:
                raise InvalidField(path, "must be a condition, all_of, any_of or not")


def _check_condition(path: str, condition: Condition, known: Mapping[str, Type]) -> None:
    type_ = known.get(condition.attribute)
    if type_ is None:
        names = ", ".join(sorted(known)[:_SHOWN_MAX])
        more = ", ..." if len(known) > _SHOWN_MAX else ""
        problem = f"{condition.attribute[:80]!r} is not an attribute; known are {names}{more}"
        raise InvalidField(f"{path}.attribute", problem)
    if condition.operator not in Operator.values() or not condition.operator:
        raise InvalidField(f"{path}.operator", "must be one of the contract's operators")
    name = Operator.Name(condition.operator)
    if condition.operator not in EQUALITY and type_ not in ORDERED:
        problem = f"{name} does not apply to {condition.attribute!r}, which has no order"
        raise InvalidField(f"{path}.operator", problem)
    most = VALUES_MAX if condition.operator in LISTS else 1
    check_size(f"{path}.values", condition.values, low=1, high=most)
    for place, value in enumerate(condition.values):
        _check_value(f"{path}.values[{place}]", value, condition.attribute, type_)


def _check_value(path: str, value: AttributeValue, attribute: str, type_: Type) -> None:
    kinds = _KINDS[type_]
    if value.WhichOneof("kind") not in kinds:
        wanted = " or ".join(kinds)
        raise InvalidField(path, f"must be a {wanted}, as {attribute!r} is {type_.value}")
    check_value(path, value)
