"""Profiles, and the version of each user's state."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, update

from gateway_service.store.dialect import insert_or_ignore, insert_or_update
from gateway_service.store.schema import sharing, users
from gateway_service.store.times import timestamp
from tandem.v1.user_pb2 import UserProfile


def put_profile(connection: Connection, user_id: str, profile: UserProfile, now_us: int) -> int:
    """Store a user's whole profile; return the new state version.

    What does not tell when it was said, was said now.
    """
    raise_versions(connection, [user_id], now_us)
    if not profile.HasField("said_time"):
        profile.said_time.CopyFrom(timestamp(now_us))
    connection.execute(
        update(users)
        .where(users.c.user_id == user_id)
        .values(profile=profile.SerializeToString(deterministic=True))
    )
    if profile.friends_enabled and not profile.personalization_disabled:
        connection.execute(insert_or_ignore(connection, sharing), [{"user_id": user_id}])
    else:
        connection.execute(delete(sharing).where(sharing.c.user_id == user_id))
    return read_version(connection, user_id)


def read_version(connection: Connection, user_id: str) -> int:
    """Return the state version of a known user."""
    found = connection.execute(select(users.c.version).where(users.c.user_id == user_id))
    version: int = found.scalar_one()
    return version


def raise_versions(connection: Connection, user_ids: Iterable[str], now_us: int) -> None:
    """Give users a greater state version than they ever had; unknown ones become known.

    The version is the time of the change. A count would begin again for a user who comes back after
    being erased, and a cache would take the new state for an old one.
    """
    ids = sorted(user_ids)
    known = select(users.c.user_id, users.c.version).where(users.c.user_id.in_(ids))
    versions = {row.user_id: row.version for row in connection.execute(known)}
    rows = [{"user_id": i, "version": max(now_us, versions.get(i, 0) + 1)} for i in ids]
    connection.execute(insert_or_update(connection, users, "version"), rows)
