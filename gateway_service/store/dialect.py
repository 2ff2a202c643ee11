"""All that differs between SQLite and PostgreSQL."""

from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.sql.dml import Insert

from serving.errors import StorageUnavailable
from serving.sqlite import READ, WRITE, prepare_sqlite

# Deleted rows are overwritten, so that an erased user is not found in the file.
_ERASE = "PRAGMA secure_delete=ON"


def make_engines(url: str, read_threads: int) -> tuple[Engine, Engine]:
    """Return an engine for the one writer and one for the readers of a database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=1), create_engine(
            url, pool_size=read_threads, isolation_level="REPEATABLE READ", pool_pre_ping=True
        )
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    writer = create_engine(url, pool_size=1)
    prepare_sqlite(writer, lambda _: WRITE, _ERASE)
    readers = create_engine(url, pool_size=read_threads)
    prepare_sqlite(readers, lambda _: READ, _ERASE)
    return writer, readers


def check_columns(engine: Engine, metadata: MetaData) -> None:
    """Raise StorageUnavailable where tables have other columns, as another version made them."""
    inspector = inspect(engine)
    for table in metadata.sorted_tables:
        found = {column["name"] for column in inspector.get_columns(table.name)}
        if missing := [column.name for column in table.columns if column.name not in found]:
            raise StorageUnavailable(
                f"the database was made by another version: its table {table.name} has no column "
                f"{', '.join(missing)}. Export what is needed with that version, and begin anew"
            )


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """Return an INSERT that leaves out rows whose key exists."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_update(connection: Connection, table: Table, *columns: str) -> Insert:
    """Return an INSERT that sets these columns where the primary key exists."""
    insert = _insert(connection, table)
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: insert.excluded[name] for name in columns},
    )


def insert_or_add(connection: Connection, table: Table, *columns: str) -> Insert:
    """Return an INSERT that adds to these columns where the primary key exists."""
    insert = _insert(connection, table)
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: table.c[name] + insert.excluded[name] for name in columns},
    )


def purge_deleted(engine: Engine) -> None:
    """Make deleted rows unreadable in the files, where the database does not do so by itself."""
    if engine.dialect.name != "sqlite":
        return
    # The write-ahead log still holds old copies of the pages until it is emptied. Readers can hold
    # that up; busy_timeout waits for them.
    connection = engine.raw_connection()
    try:
        busy, _, _ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    if busy:
        raise StorageUnavailable("readers held up the clearing of the log; erase again")


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
