"""The keys that sign attribution tokens: made once, shared by all gateways of a database."""

import secrets

from sqlalchemy import Connection, select

from gateway_service.store.dialect import insert_or_ignore
from gateway_service.store.schema import token_keys

KEY_BYTES = 32


def read_token_keys(connection: Connection) -> list[bytes]:
    """Return the keys, the newest last; make the first one where there is none."""
    # Of two gateways that start at the same time, one makes it and both read it.
    first = {"key_number": 1, "token_key": secrets.token_bytes(KEY_BYTES)}
    connection.execute(insert_or_ignore(connection, token_keys), [first])
    ordered = select(token_keys.c.token_key).order_by(token_keys.c.key_number)
    return list(connection.scalars(ordered))
