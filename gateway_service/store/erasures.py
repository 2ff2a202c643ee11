"""Who was erased and when, by a hash of the id, so that a restored backup is erased again."""

from collections.abc import Mapping
from hashlib import blake2b

from sqlalchemy import ColumnElement, Connection, delete, or_, select, union, update

from gateway_service.store.dialect import insert_or_update
from gateway_service.store.schema import erasures, events, friends, impressions, sharing, users
from tandem.v1.user_service_pb2 import EraseUserResponse

_PERSON = b"tandem-erasure"


def user_hash(user_id: str, key: str) -> str:
    """Return BLAKE2b of a user id as 32 hexadecimal digits, keyed unless the key is ""."""
    # A key of any length becomes one that BLAKE2b takes.
    short = blake2b(key.encode(), digest_size=32).digest() if key else b""
    return blake2b(user_id.encode(), digest_size=16, key=short, person=_PERSON).hexdigest()


def erase_user(
    connection: Connection, user_id: str, hashed: str, time_us: int
) -> EraseUserResponse:
    """Delete all that is stored of a user, and write down that it was done."""
    connection.execute(delete(users).where(users.c.user_id == user_id))
    erased_events = connection.execute(delete(events).where(events.c.user_id == user_id))
    erased_impressions = connection.execute(
        delete(impressions).where(impressions.c.user_id == user_id)
    )
    connection.execute(delete(sharing).where(sharing.c.user_id == user_id))
    erased_friends = connection.execute(delete(friends).where(_on_either_side(user_id)))
    _write_down(connection, {hashed: time_us})
    return EraseUserResponse(
        erased_event_count=erased_events.rowcount,
        erased_impression_count=erased_impressions.rowcount,
        erased_friend_count=erased_friends.rowcount,
    )


def _on_either_side(user_id: str) -> ColumnElement[bool]:
    return or_(friends.c.user_id == user_id, friends.c.friend_id == user_id)


def unknown_erasures(connection: Connection, told: Mapping[str, int]) -> dict[str, int]:
    """Return those of some erasures, time by hash, that this database does not know."""
    query = select(erasures.c.user_hash, erasures.c.erase_time_us)
    known = {row.user_hash: row.erase_time_us for row in connection.execute(query)}
    return {hashed: time for hashed, time in told.items() if known.get(hashed, -1) < time}


def erase_again(connection: Connection, unknown: Mapping[str, int], key: str) -> int:
    """Delete what is stored of these users from before their erasure; return how many had any.

    What came after it is of a new beginning, and stays; but not a profile of which nobody knows
    when it was written.
    """
    count = 0
    stored = union(
        select(users.c.user_id),
        select(impressions.c.user_id),
        select(friends.c.user_id),
        select(friends.c.friend_id),
    )
    for user_id in connection.scalars(stored).all():
        time_us = unknown.get(user_hash(user_id, key))
        if time_us is not None:
            _erase_until(connection, user_id, time_us)
            count += 1
    _write_down(connection, unknown)
    return count


def _erase_until(connection: Connection, user_id: str, time_us: int) -> None:
    connection.execute(
        delete(events).where(events.c.user_id == user_id, events.c.received_time_us <= time_us)
    )
    connection.execute(
        delete(impressions).where(
            impressions.c.user_id == user_id, impressions.c.logged_time_us <= time_us
        )
    )
    connection.execute(
        delete(friends).where(_on_either_side(user_id), friends.c.put_time_us <= time_us)
    )
    connection.execute(delete(sharing).where(sharing.c.user_id == user_id))
    # A version is the time of the last change.
    mine = users.c.user_id == user_id
    connection.execute(delete(users).where(mine, users.c.version <= time_us))
    connection.execute(update(users).where(mine).values(profile=None))


def _write_down(connection: Connection, times: Mapping[str, int]) -> None:
    rows = [{"user_hash": hashed, "erase_time_us": time} for hashed, time in times.items()]
    if rows:
        connection.execute(insert_or_update(connection, erasures, "erase_time_us"), rows)
