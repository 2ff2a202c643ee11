"""The attributes that filters may name, and where an item holds them."""

from collections.abc import Mapping
from enum import Enum

from tandem.v1.item_pb2 import Item

Value = str | int | float | bool


class Type(Enum):
    """The type of an attribute. STRINGS is a list of strings."""

    STRING = "string"
    INT64 = "int64"
    DOUBLE = "double"
    BOOL = "bool"
    STRINGS = "strings"


ORDERED = frozenset({Type.STRING, Type.INT64, Type.DOUBLE})
BUILT_IN: Mapping[str, Type] = {
    "categories": Type.STRINGS,
    "tags": Type.STRINGS,
    "brand": Type.STRING,
    "language_code": Type.STRING,
    "create_time": Type.DOUBLE,
    "latitude": Type.DOUBLE,
    "longitude": Type.DOUBLE,
}


def known_attributes(schema: Mapping[str, str]) -> dict[str, Type]:
    """Return type by name: the fields of every item, and the catalogue's own attributes."""
    return {**{name: Type(type_) for name, type_ in schema.items()}, **BUILT_IN}


def value_of(item: Item, attribute: str) -> Value | None:
    """Return an item's value of an attribute that is no list, None if it has none."""
    match attribute:
        case "brand":
            return item.brand or None
        case "language_code":
            return item.language_code or None
        case "create_time":
            if not item.HasField("create_time"):
                return None
            return item.create_time.seconds + item.create_time.nanos / 1e9
        case "latitude":
            return item.place.latitude + 0.0 if item.HasField("place") else None
        case "longitude":
            return item.place.longitude + 0.0 if item.HasField("place") else None
    if attribute not in item.attributes:
        return None
    kind = item.attributes[attribute].WhichOneof("kind")
    value: Value = getattr(item.attributes[attribute], kind or "")
    # 0.0 and -0.0 are equal, but not to a set of values that is compared bit by bit.
    return value + 0.0 if isinstance(value, float) else value


def values_of(item: Item, attribute: str) -> list[str]:
    """Return an item's values of an attribute that is a list of strings."""
    return list(item.categories if attribute == "categories" else item.tags)
