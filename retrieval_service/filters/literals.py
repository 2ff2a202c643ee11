"""The one writer of values into Milvus expressions. No value can end its own literal."""

from collections.abc import Sequence

from features.item_attributes import Value

# What both Milvus Lite and Milvus read inside double quotes: everything as it is, but these.
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def literal(value: Value) -> str:
    """Return a value as a Milvus literal. Numbers must be finite."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value.translate(_ESCAPES)}"'
        case int():
            return str(value)
        case float():
            return repr(value + 0.0)


def literals(values: Sequence[Value]) -> str:
    """Return values as a Milvus list."""
    return f"[{', '.join(map(literal, values))}]"
