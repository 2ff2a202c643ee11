"""Compiles filters to Milvus expressions.

An expression lets through every item that the filter lets through, and at times a few more: Milvus
has columns for an item's first categories and tags only, and for those attributes that were known
when the collection was made. Candidates are checked against the catalogue in memory afterwards.
"""

from collections.abc import Container, Mapping

from features.item_attributes import BUILT_IN, Type, Value
from features.item_filter import condition_values, negated
from retrieval_service.filters.checks import LISTS
from retrieval_service.filters.literals import literal, literals
from retrieval_service.index.fields import (
    DOUBLE_LEAST,
    INT64_LEAST,
    LIST_COLUMNS,
    MORE,
    attribute_column,
    stored,
)
from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter

# Beyond this an expression takes longer to parse than it saves.
EXPRESSION_CHARACTERS_MAX = 65_536
AVAILABLE = "available == true"
_SYMBOLS = {
    filter_pb2.OPERATOR_LESS: "<",
    filter_pb2.OPERATOR_LESS_OR_EQUAL: "<=",
    filter_pb2.OPERATOR_GREATER: ">",
    filter_pb2.OPERATOR_GREATER_OR_EQUAL: ">=",
}
_NEGATIVE = (filter_pb2.OPERATOR_NOT_EQUAL, filter_pb2.OPERATOR_NOT_IN)
# What an item without the attribute holds is the least of the column's values, so only these two
# comparisons need to shut it out.
_GUARDED = (filter_pb2.OPERATOR_LESS, filter_pb2.OPERATOR_LESS_OR_EQUAL)


def compile_filter(root: Filter | None, known: Mapping[str, Type], columns: Container[str]) -> str:
    """Return the expression for available items that a checked filter lets through.

    known: type by attribute. columns: the attributes that the collection has columns for.
    """
    inner = None if root is None else _compile(root, known, columns, negate=False)
    if inner is None or len(inner) > EXPRESSION_CHARACTERS_MAX:
        return AVAILABLE
    return f"{AVAILABLE} and {inner}"


def _compile(
    node: Filter, known: Mapping[str, Type], columns: Container[str], *, negate: bool
) -> str | None:
    """Return the expression of a node or of its negation, None if it cannot shut anything out."""
    kind = node.WhichOneof("node")
    if kind == "condition":
        return _condition(node.condition, known, columns, negate=negate)
    if kind == "not":
        return _compile(negated(node), known, columns, negate=not negate)
    # De Morgan: the negation goes down to the conditions, so that each may let a few more through.
    all_of = (kind == "all_of") != negate
    children = (node.all_of if kind == "all_of" else node.any_of).filters
    parts = [_compile(child, known, columns, negate=negate) for child in children]
    expressions = [part for part in parts if part is not None]
    if not expressions or (not all_of and len(expressions) < len(parts)):
        return None
    return f"({(' and ' if all_of else ' or ').join(expressions)})"


def _condition(
    condition: Condition, known: Mapping[str, Type], columns: Container[str], *, negate: bool
) -> str | None:
    attribute, type_ = condition.attribute, known[condition.attribute]
    if attribute not in BUILT_IN and attribute not in columns:
        return None
    values = [stored(value, type_) for value in condition_values(condition)]
    if type_ == Type.STRINGS:
        without = (condition.operator in _NEGATIVE) != negate
        return _without(attribute, values) if without else _with(attribute, values)
    column = attribute if attribute in BUILT_IN else attribute_column(attribute)
    exact = _scalar(condition, column, type_, values)
    return f"not ({exact})" if negate else f"({exact})"


def _scalar(condition: Condition, column: str, type_: Type, values: list[Value]) -> str:
    if condition.operator in _SYMBOLS:
        comparison = f"{column} {_SYMBOLS[condition.operator]} {literal(values[0])}"
        return f"{_has(column, type_)} and {comparison}" if _guarded(condition) else comparison
    if condition.operator in LISTS:
        inside = f"{column} in {literals(values)}"
        return f"not ({inside})" if condition.operator in _NEGATIVE else inside
    equal = "!=" if condition.operator in _NEGATIVE else "=="
    return f"{column} {equal} {literal(values[0])}"


def _guarded(condition: Condition) -> bool:
    return condition.operator in _GUARDED


def _has(column: str, type_: Type) -> str:
    """Return the expression for items that have a value in a column."""
    match type_:
        case Type.STRING:
            return f'{column} != ""'
        case Type.INT64:
            return f"{column} >= {INT64_LEAST}"
        case _:
            return f"{column} >= {DOUBLE_LEAST!r}"


def _with(attribute: str, values: list[Value]) -> str:
    """Return the expression for items that have one of the values, or too many to tell."""
    inside = [f"{column} in {literals(values)}" for column in LIST_COLUMNS[attribute]]
    return f"({' or '.join([*inside, f'{attribute}{MORE} == true'])})"


def _without(attribute: str, values: list[Value]) -> str:
    """Return the expression for items that have none of the values among the first ones."""
    inside = [f"{column} in {literals(values)}" for column in LIST_COLUMNS[attribute]]
    return f"(not ({' or '.join(inside)}))"
