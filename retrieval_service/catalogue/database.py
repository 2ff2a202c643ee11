"""Opens the catalogue's database and keeps its work off the event loop."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from retrieval_service.catalogue.tables import metadata, state
from serving.errors import StorageUnavailable
from serving.sqlite import READ, WRITE, prepare_sqlite

T = TypeVar("T")
logger = logging.getLogger(__name__)
_WRITE = "tandem_write"


class Database:
    """Runs functions of a connection in threads: many readers, one writer at a time.

    Its methods raise StorageUnavailable where the database refuses.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = _make_engine(url)
            metadata.create_all(self._engine)
            self._write(_begin_at_revision_0)
        except (SQLAlchemyError, OSError) as error:
            raise _translated(error) from error
        self._one_writer = asyncio.Lock()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a read transaction: all that it reads is of one moment."""
        return await asyncio.to_thread(self._read, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a write transaction; return once it is on disk."""
        # Writers of this process queue here, and not for the database's lock, which times out.
        async with self._one_writer:
            return await asyncio.to_thread(self._write, work)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _translated(error) from error

    def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.execution_options(**{_WRITE: True}).begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _translated(error) from error


def _make_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageUnavailable(f"{url!r} is no database URL") from error
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    prepare_sqlite(
        engine,
        lambda connection: WRITE if connection.get_execution_options().get(_WRITE) else READ,
    )
    return engine


def _begin_at_revision_0(connection: Connection) -> None:
    if connection.execute(select(state.c.id)).first() is None:
        connection.execute(insert(state).values(id=1, revision=0))


def _translated(error: Exception) -> StorageUnavailable:
    # What the driver says, without the statement and its values.
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    logger.error("the catalogue's database failed: %s", reason)
    return StorageUnavailable(reason)
