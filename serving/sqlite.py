"""SQLite as a system of record: commits are on disk, transactions begin when they are told to."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

BUSY_TIMEOUT_MS = 10_000
DURABLE = (
    "PRAGMA journal_mode=WAL",
    # A commit is on disk before it is acknowledged.
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)
READ = "BEGIN"
# Taking the write lock at once avoids the failure of a read transaction that turns to writing after
# another process has written.
WRITE = "BEGIN IMMEDIATE"


def prepare_sqlite(engine: Engine, begin: Callable[[Connection], str], *pragmas: str) -> None:
    """Make an engine durable; `begin` says whether a transaction is to READ or to WRITE."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # The driver would begin transactions later than it is told to.
        connection.isolation_level = None
        for pragma in (*DURABLE, *pragmas):
            connection.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin(connection))
