"""Vectors that items bring along: which space is how wide, and how they lie in the database.

A stored item holds the hash of each vector in its place; the vector lies beside those of texts.
"""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, insert, select, tuple_

from features.item_vectors import (
    NO_VECTOR,
    SPACE_NAME,
    SPACES_MOST,
    TAKEN_NAMES,
    WIDTH_LEAST,
    WIDTH_MOST,
    unit_vectors,
    vector_hash,
)
from retrieval_service.catalogue.tables import spaces, vectors
from serving.errors import InvalidField
from serving.validation import check_size
from tandem.v1.item_pb2 import Item


def check_vectors(field: str, item: Item) -> None:
    """Check the vectors of an item on their own. Raises InvalidField."""
    check_size(field, item.vectors, high=SPACES_MOST)
    for space, vector in item.vectors.items():
        check_space(field, space)
        raw, name = vector.float32_values, f"{field}[{space}].float32_values"
        if len(raw) % 4 or not WIDTH_LEAST <= len(raw) // 4 <= WIDTH_MOST:
            problem = f"must be {WIDTH_LEAST} to {WIDTH_MOST:,} numbers of 4 bytes"
            raise InvalidField(name, f"{problem}, has {len(raw):,} bytes")
        values = np.frombuffer(raw, "<f4")
        if not np.isfinite(values).all() or not values.any():
            raise InvalidField(name, "must be finite numbers, not all 0")


def check_space(field: str, space: str) -> None:
    """Check the name of a space. Raises InvalidField."""
    if not SPACE_NAME.fullmatch(space) or space in TAKEN_NAMES:
        taken = ", ".join(sorted(TAKEN_NAMES))
        problem = f"must match {SPACE_NAME.pattern} and be none of {taken}"
        raise InvalidField(field, f"name {space[:80]!r} {problem}")


def put_hashes(item: Item) -> list[tuple[str, str, bytes]]:
    """Put hashes in the place of an item's vectors; return (space, hash, float32 bytes) of each."""
    found = []
    for space in sorted(item.vectors):
        own = item.vectors[space]
        unit = unit_vectors(np.frombuffer(own.float32_values, "<f4"))
        key = vector_hash(unit)
        found.append((space, key, unit.astype("<f4").tobytes()))
        own.float32_values = key.encode()
    return found


def hash_of(item: Item, space: str) -> str:
    """Return the hash of a stored item's vector, NO_VECTOR where it brought none."""
    # Reading a key of the map would make it.
    return item.vectors[space].float32_values.decode() if space in item.vectors else NO_VECTOR


def put_vectors(connection: Connection, items: Sequence[Item]) -> None:
    """Put the vectors of stored items in the place of their hashes again."""
    wanted = {(version_of(space), hash_of(item, space)) for item in items for space in item.vectors}
    named = tuple_(vectors.c.encoder_version, vectors.c.text_hash)
    found = {
        (row.encoder_version, row.text_hash): row.vector
        for row in connection.execute(select(vectors).where(named.in_(wanted)))
    }
    for item in items:
        for space in list(item.vectors):
            raw = found[version_of(space), hash_of(item, space)]
            item.vectors[space].float32_values = raw


def version_of(space: str) -> str:
    """Return the version under which the vectors of a space lie in the table of vectors."""
    return f"media:{space}"


def widen_spaces(connection: Connection, widths: Sequence[tuple[str, int, str]]) -> None:
    """Add the spaces of some items' vectors: (space, width, item id) of each.

    Raises InvalidField where a width differs from that of the rest of the space.
    """
    if not widths:
        return
    rows = connection.execute(select(spaces.c.name, spaces.c.width))
    known = {row.name: row.width for row in rows}
    new: dict[str, int] = {}
    for space, width, item_id in widths:
        expected = known.get(space) or new.setdefault(space, width)
        if width != expected:
            problem = f"must have {expected} numbers, as in the rest of the catalogue, has {width}"
            raise InvalidField(f"items.vectors[{space}]", f"{problem} ({item_id!r})")
    if new:
        rows_new = [{"name": name, "width": width} for name, width in new.items()]
        connection.execute(insert(spaces), rows_new)
