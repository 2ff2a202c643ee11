"""Which collection serves a release, and up to which revision it follows the catalogue."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.tables import indexes, state

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
            # One at a time: two copies of the service must not each add one.
            connection.execute(select(state.c.id).with_for_update())
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
                    unwanted=False,
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

    async def discard(self, release_id: str) -> None:
        """Write down that a release's collections are to be dropped."""

        def work(connection: Connection) -> None:
            of_release = indexes.c.release_id == release_id
            connection.execute(update(indexes).where(of_release).values(unwanted=True))

        await self._database.write(work)

    async def unwanted(self) -> list[str]:
        """Return the names of collections that are to be dropped."""
        query = select(indexes.c.collection).where(indexes.c.unwanted)
        return await self._database.read(lambda connection: list(connection.scalars(query)))

    async def forget(self, name: str) -> None:
        """Remove a collection from the table, once it is dropped."""

        def work(connection: Connection) -> None:
            connection.execute(delete(indexes).where(indexes.c.collection == name))

        await self._database.write(work)


def _find(connection: Connection, release_id: str, space: str) -> Collection | None:
    wanted = (indexes.c.release_id == release_id) & (indexes.c.space == space) & ~indexes.c.unwanted
    row = connection.execute(select(indexes).where(wanted)).first()
    if row is None:
        return None
    columns = [name for name in row.columns.split(",") if name]
    return Collection(row.release_id, row.space, row.collection, columns, row.revision)
