"""Which collection serves a release, and up to which revision it follows the catalogue."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.tables import indexes

# A copy of the service that dies leaves its collections to the others after this long.
HOLD_S = 30.0


@dataclass(frozen=True)
class Collection:
    """A Milvus collection of a release. columns: the attributes that it has columns for."""

    release_id: str
    space: str
    name: str
    columns: Sequence[str]
    revision: int


class Ledger:
    """The table of collections. It is in SQL, so that all copies of the service share it.

    One copy at a time writes to a collection: the one that holds it. Otherwise a slow copy could
    put an item's former state over the present one.
    """

    def __init__(self, database: Database, holder: str) -> None:
        """Take a name for this copy that it still has after a restart, such as host and port."""
        self._database = database
        self._holder = holder

    async def find(self, release_id: str, space: str) -> Collection | None:
        """Return the collection of a release and space, None if there is none."""

        def work(connection: Connection) -> Collection | None:
            return _find(connection, release_id, space)

        return await self._database.read(work)

    async def find_or_add(self, new: Collection) -> Collection:
        """Return the collection of a release and space; write `new` down if there is none."""

        def work(connection: Connection) -> Collection:
            found = _find(connection, new.release_id, new.space)
            if found is not None:
                return found
            connection.execute(
                insert(indexes).values(
                    release_id=new.release_id,
                    space=new.space,
                    collection=new.name,
                    columns=",".join(new.columns),
                    revision=new.revision,
                    holder="",
                    held_until=0.0,
                )
            )
            return new

        return await self._database.write(work)

    async def hold(self, collection: Collection) -> Collection | None:
        """Return the collection as it is now and keep others from writing to it for a while.

        None if another copy of the service holds it.
        """
        now = time.time()

        def work(connection: Connection) -> Collection | None:
            free = (indexes.c.holder == self._holder) | (indexes.c.held_until < now)
            same = indexes.c.collection == collection.name
            taken = connection.execute(
                update(indexes)
                .where(same & free)
                .values(holder=self._holder, held_until=now + HOLD_S)
            )
            if taken.rowcount == 0:
                return None
            return _find(connection, collection.release_id, collection.space)

        return await self._database.write(work)

    async def advance(self, collection: Collection) -> None:
        """Write down revision and columns of a held collection."""

        def work(connection: Connection) -> None:
            same = (indexes.c.collection == collection.name) & (indexes.c.holder == self._holder)
            columns = ",".join(collection.columns)
            connection.execute(
                update(indexes).where(same).values(revision=collection.revision, columns=columns)
            )

        await self._database.write(work)

    async def forget(self, release_id: str) -> None:
        """Remove a release's collections from the table."""

        def work(connection: Connection) -> None:
            connection.execute(delete(indexes).where(indexes.c.release_id == release_id))

        await self._database.write(work)


def _key(release_id: str, space: str) -> ColumnElement[bool]:
    return (indexes.c.release_id == release_id) & (indexes.c.space == space)


def _find(connection: Connection, release_id: str, space: str) -> Collection | None:
    row = connection.execute(select(indexes).where(_key(release_id, space))).first()
    if row is None:
        return None
    columns = [name for name in row.columns.split(",") if name]
    return Collection(row.release_id, row.space, row.collection, columns, row.revision)
