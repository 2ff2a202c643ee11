"""The attributes that filters may name, and where an item holds them."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from operator import attrgetter

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


def reader_of_list(attribute: str) -> Callable[[Item], Sequence[str]]:
    """Return what reads an item's values of an attribute that is a list of strings."""
    return attrgetter(attribute)


def reader(attribute: str) -> Callable[[Item], Value | None]:
    """Return what reads an item's value of any other attribute, None if the item has none."""
    if attribute in _READERS:
        return _READERS[attribute]

    def read(item: Item) -> Value | None:
        if attribute not in item.attributes:
            return None
        holder = item.attributes[attribute]
        value: Value = getattr(holder, holder.WhichOneof("kind") or "")
        # 0.0 and -0.0 are equal, but not to a set of values that is compared bit by bit.
        return value + 0.0 if isinstance(value, float) else value

    return read


def _create_time(item: Item) -> float | None:
    if not item.HasField("create_time"):
        return None
    return item.create_time.seconds + item.create_time.nanos / 1e9


_READERS: Mapping[str, Callable[[Item], Value | None]] = {
    "brand": lambda item: item.brand or None,
    "language_code": lambda item: item.language_code or None,
    "create_time": _create_time,
    "latitude": lambda item: item.place.latitude + 0.0 if item.HasField("place") else None,
    "longitude": lambda item: item.place.longitude + 0.0 if item.HasField("place") else None,
}
