"""The types of the catalogue's attributes: one type for each name, whatever the item."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select

from retrieval_service.catalogue.tables import attributes
from serving.errors import InvalidField
from tandem.v1.item_pb2 import AttributeValue, Item


def type_of(value: AttributeValue) -> str:
    """Return the type of a value: "string", "int64", "double" or "bool"."""
    kind = value.WhichOneof("kind")
    assert kind is not None, "checked before"
    return kind.removesuffix("_value")


def read_schema(connection: Connection) -> Mapping[str, str]:
    """Return type by name."""
    rows = connection.execute(select(attributes.c.name, attributes.c.type))
    return {row.name: row.type for row in rows}


def widen_schema(connection: Connection, items: Sequence[Item]) -> None:
    """Add the attributes of some items. Raises InvalidField where a type differs."""
    if not any(item.attributes for item in items):
        return
    known = read_schema(connection)
    new: dict[str, str] = {}
    for item in items:
        for name, value in item.attributes.items():
            found = type_of(value)
            expected = known.get(name) or new.setdefault(name, found)
            if found != expected:
                problem = f"must be {expected}, as in the rest of the catalogue, is {found}"
                raise InvalidField(f"items.attributes[{name}]", f"{problem} ({item.item_id!r})")
    if new:
        rows = [{"name": name, "type": type_} for name, type_ in new.items()]
        connection.execute(insert(attributes), rows)
