"""The scalar columns of every collection, and an item's values in them.

Milvus 2.3 has no NULL, so that an item without an attribute holds a value that no item may have:
"" where every string begins with "=", and the ends of the numeric ranges, which the catalogue keeps
free. All are the least values of their columns. Scalar columns are fast on Milvus Lite and Milvus
alike; arrays and JSON take 20 times as long on Milvus Lite (measured at 20,000 items).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from features.item_attributes import BUILT_IN, Type, Value, reader, reader_of_list
from retrieval_service.catalogue import checks
from tandem.v1.item_pb2 import Item

INT64_LEAST = checks.INT64_LEAST
DOUBLE_LEAST = -checks.DOUBLE_MOST
MORE = "_more"
# The first entries of a list have a column each; the column `..._more` says whether there are more.
LIST_COLUMNS: Mapping[str, Sequence[str]] = {
    "categories": [f"categories_{place}" for place in range(1, 5)],
    "tags": [f"tags_{place}" for place in range(1, 5)],
}
FLAGS = ["available", *(name + MORE for name in LIST_COLUMNS)]
# Milvus allows 64 fields, of which those of every item take less than half.
ATTRIBUTE_COLUMNS_MAX = 36
_MISSING: Mapping[Type, Value] = {
    Type.STRING: "",
    Type.INT64: INT64_LEAST - 1,
    Type.DOUBLE: -1e308,
    Type.BOOL: -1,
}


def attribute_column(name: str) -> str:
    """Return the column of an attribute of the catalogue's own."""
    return f"attr_{name}"


def stored(value: Value, type_: Type) -> Value:
    """Return a value as columns of the type hold it."""
    match type_:
        case Type.STRING | Type.STRINGS:
            return f"={value}"
        case Type.BOOL:
            return int(value)
        case Type.DOUBLE:
            return float(value)
        case _:
            return value


def scalar_types(schema: Mapping[str, str], attributes: Iterable[str]) -> dict[str, Type]:
    """Return the type by column of a collection with columns for these attributes."""
    types = {name: type_ for name, type_ in BUILT_IN.items() if type_ != Type.STRINGS}
    for columns in LIST_COLUMNS.values():
        types |= dict.fromkeys(columns, Type.STRING)
    return types | {attribute_column(name): Type(schema[name]) for name in attributes}


def scalar_values(
    item: Item, types: Mapping[str, Type], attributes: Iterable[str]
) -> dict[str, Any]:
    """Return an item's value by column."""
    row: dict[str, Any] = {"item_id": item.item_id, "available": not item.unavailable}
    for attribute, columns in LIST_COLUMNS.items():
        values = reader_of_list(attribute)(item)
        row[attribute + MORE] = len(values) > len(columns)
        for place, column in enumerate(columns):
            row[column] = stored(values[place], Type.STRING) if place < len(values) else ""
    for attribute in (*_SCALAR_BUILT_IN, *attributes):
        column = attribute if attribute in BUILT_IN else attribute_column(attribute)
        value, type_ = reader(attribute)(item), types[column]
        row[column] = _MISSING[type_] if value is None else stored(value, type_)
    return row


_SCALAR_BUILT_IN = [name for name, type_ in BUILT_IN.items() if type_ != Type.STRINGS]
