"""Filters as they are typed: `categories=Drama`, `price<=20`, `brand!=Acme`, `tags=a,b`."""

import re

from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter, FilterList, Operator
from tandem.v1.item_pb2 import AttributeValue
from tandem_cli.failure import CommandFailed

_OPERATORS = {
    "=": filter_pb2.OPERATOR_EQUAL,
    "!=": filter_pb2.OPERATOR_NOT_EQUAL,
    "<": filter_pb2.OPERATOR_LESS,
    "<=": filter_pb2.OPERATOR_LESS_OR_EQUAL,
    ">": filter_pb2.OPERATOR_GREATER,
    ">=": filter_pb2.OPERATOR_GREATER_OR_EQUAL,
}
_LISTS: dict[str, Operator.ValueType] = {
    "=": filter_pb2.OPERATOR_IN,
    "!=": filter_pb2.OPERATOR_NOT_IN,
}
_FORM = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*")


def parse_filters(texts: list[str]) -> Filter | None:
    """Return the filter that holds if all of the typed ones do, None if there are none.

    A value is a whole number, a number, true or false, else text; quotes make it text. Commas make
    a list, of which one value has to match (with != none may).
    """
    if not texts:
        return None
    filters = [Filter(condition=_condition(text)) for text in texts]
    return filters[0] if len(filters) == 1 else Filter(all_of=FilterList(filters=filters))


def _condition(text: str) -> Condition:
    found = _FORM.fullmatch(text)
    if found is None:
        raise CommandFailed(f"--filter {text!r}: write it as attribute=value, or with != < <= > >=")
    attribute, operator, values = found.groups()
    parts = re.findall(r'\s*("[^"]*"|[^,]+)', values)
    if len(parts) > 1 and operator not in _LISTS:
        raise CommandFailed(f"--filter {text!r}: {operator} takes one value")
    return Condition(
        attribute=attribute,
        operator=_OPERATORS[operator] if len(parts) == 1 else _LISTS[operator],
        values=[_value(part.strip()) for part in parts],
    )


def _value(text: str) -> AttributeValue:
    if text.startswith('"'):
        return AttributeValue(string_value=text.strip('"'))
    if text in ("true", "false"):
        return AttributeValue(bool_value=text == "true")
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return AttributeValue(int64_value=int(text))
    if re.fullmatch(r"[+-]?\d*\.\d+", text):
        return AttributeValue(double_value=float(text))
    return AttributeValue(string_value=text)
