"""The releases that were activated, and the pointer to the one that serves."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway_service.store.dialect import insert_or_update
from gateway_service.store.schema import release_pointer, releases
from tandem.v1.info_service_pb2 import ReleaseInfo

_POINTER_ID = 1


@dataclass(frozen=True)
class Pointer:
    """Which release serves, and which one a rollback returns to. Empty: none."""

    current: str = ""
    previous: str = ""


def read_pointer(connection: Connection) -> Pointer:
    """Return the pointer; before the first activation it is empty."""
    row = connection.execute(
        select(release_pointer.c.current_release_id, release_pointer.c.previous_release_id)
    ).one_or_none()
    return Pointer(*row) if row is not None else Pointer()


def write_pointer(connection: Connection, pointer: Pointer) -> None:
    """Set the pointer."""
    row = {
        "pointer_id": _POINTER_ID,
        "current_release_id": pointer.current,
        "previous_release_id": pointer.previous,
    }
    insert = insert_or_update(
        connection, release_pointer, "current_release_id", "previous_release_id"
    )
    connection.execute(insert, [row])


def record_activation(connection: Connection, release: ReleaseInfo, now_us: int) -> Pointer:
    """Have a release serve, and the one that served before be the previous one."""
    row = {
        "release_id": release.release_id,
        "release_uri": release.release_uri,
        "model_versions": dict(release.model_versions),
        "activated_time_us": now_us,
    }
    insert = insert_or_update(
        connection, releases, "release_uri", "model_versions", "activated_time_us"
    )
    connection.execute(insert, [row])
    former = read_pointer(connection)
    if former.current == release.release_id:
        return former
    pointer = Pointer(release.release_id, former.current)
    write_pointer(connection, pointer)
    return pointer


def record_rollback(connection: Connection, expected: Pointer) -> Pointer:
    """Swap current and previous, unless someone else has moved the pointer meanwhile."""
    former = read_pointer(connection)
    if former != expected:
        return former
    pointer = Pointer(former.previous, former.current)
    write_pointer(connection, pointer)
    return pointer


def list_releases(connection: Connection) -> list[ReleaseInfo]:
    """Return the releases that were activated, newest first. Their state is not set."""
    rows = connection.execute(
        select(releases.c.release_id, releases.c.release_uri, releases.c.model_versions).order_by(
            releases.c.activated_time_us.desc(), releases.c.release_id
        )
    )
    return [
        ReleaseInfo(release_id=row[0], release_uri=row[1], model_versions=row[2]) for row in rows
    ]


def release_uri(connection: Connection, release_id: str) -> str | None:
    """Return where a release lies, None if it was never activated."""
    return connection.scalar(
        select(releases.c.release_uri).where(releases.c.release_id == release_id)
    )
