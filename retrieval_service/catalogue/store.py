"""Reads and writes the catalogue of record. Every change of an item takes a revision of its own."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from retrieval_service.catalogue.attributes import read_schema, widen_schema
from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.media import put_vectors, widen_spaces
from retrieval_service.catalogue.records import Change, Draft, NewVector, Written
from retrieval_service.catalogue.tables import items, state, upserts, vectors
from tandem.v1.item_pb2 import Item

_NOTHING = b""


class Store:
    """The catalogue of record. Methods raise StorageUnavailable where the database refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    async def changed(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return those drafts that differ from what is stored."""

        def work(connection: Connection) -> list[Draft]:
            return _changed(connection, drafts)

        return await self._database.read(work)

    async def write_batch(
        self,
        drafts: Sequence[Draft],
        new_vectors: Sequence[NewVector],
        upsert_id: str,
        batch_number: int,
    ) -> Written:
        """Store a batch of drafts with different ids as a whole. Returns once it is on disk.

        A batch at or below the upsert's stored number changes nothing. Raises InvalidField where
        an attribute has another type, or a vector another width, than in the rest of the catalogue.
        """

        def work(connection: Connection) -> Written:
            revision = _lock(connection)
            if upsert_id and batch_number <= _progress(connection, upsert_id):
                return Written(0, 0, revision)
            changed = _changed(connection, drafts)
            widen_schema(connection, [draft.item for draft in changed])
            _replace(connection, changed, revision)
            brought = [(d.item.item_id, s, v) for d in changed for s, v in d.vectors.items()]
            widen_spaces(connection, [(s, len(v.vector) // 4, i) for i, s, v in brought])
            _add_vectors(connection, [*new_vectors, *(vector for _, _, vector in brought)])
            if upsert_id:
                connection.execute(delete(upserts).where(upserts.c.upsert_id == upsert_id))
                row = {"upsert_id": upsert_id, "batch_number": batch_number}
                connection.execute(insert(upserts).values(row))
            revision = _advance(connection, revision + len(changed))
            return Written(len(changed), len(drafts) - len(changed), revision)

        return await self._database.write(work)

    async def delete(self, item_ids: Iterable[str]) -> tuple[int, int]:
        """Delete items; return how many existed and the catalogue's revision afterwards."""
        wanted = set(item_ids)

        def work(connection: Connection) -> tuple[int, int]:
            revision = _lock(connection)
            live = items.c.item_id.in_(wanted) & ~items.c.deleted
            found = list(connection.scalars(select(items.c.item_id).where(live)))
            for place, item_id in enumerate(sorted(found), start=1):
                gone = {"deleted": True, "content": _NOTHING, "text_hash": ""}
                connection.execute(
                    update(items)
                    .where(items.c.item_id == item_id)
                    .values(revision=revision + place, **gone)
                )
            return len(found), _advance(connection, revision + len(found))

        return await self._database.write(work)

    async def get(self, item_ids: Sequence[str]) -> list[Item]:
        """Return the items that exist, in the order asked."""

        def work(connection: Connection) -> dict[str, Item]:
            wanted = items.c.item_id.in_(set(item_ids)) & ~items.c.deleted
            rows = connection.execute(select(items).where(wanted)).mappings()
            return {row["item_id"]: _answered(row) for row in rows}

        found = await self._database.read(work)
        return [found[item_id] for item_id in item_ids if item_id in found]

    async def page(
        self, after: str, size: int, *, with_vectors: bool = False
    ) -> tuple[list[Item], int]:
        """Return up to `size` items with ids greater than `after`, and how many exist in all."""

        def work(connection: Connection) -> tuple[list[Item], int]:
            live = ~items.c.deleted
            query = select(items).where(live & (items.c.item_id > after))
            rows = connection.execute(query.order_by(items.c.item_id).limit(size)).mappings()
            total = connection.scalar(select(func.count()).select_from(items).where(live))
            if with_vectors:
                found = [_item(row) for row in rows]
                put_vectors(connection, found)
                return found, total or 0
            return [_answered(row) for row in rows], total or 0

        return await self._database.read(work)

    async def progress(self, upsert_id: str) -> int:
        """Return the number of the last stored batch of an upsert, 0 if there is none."""

        def work(connection: Connection) -> int:
            return _progress(connection, upsert_id)

        return await self._database.read(work)

    async def revision(self) -> int:
        """Return the catalogue's revision."""
        return await self._database.read(lambda connection: _revision(connection))

    async def schema(self) -> Mapping[str, str]:
        """Return the type of each attribute by its name."""
        return await self._database.read(read_schema)

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Return up to `limit` items that changed after a revision, by their latest change."""

        def work(connection: Connection) -> list[Change]:
            query = select(items).where(items.c.revision > after)
            rows = connection.execute(query.order_by(items.c.revision).limit(limit)).mappings()
            return [
                Change(
                    row["item_id"],
                    row["revision"],
                    row["text_hash"],
                    None if row["deleted"] else _item(row),
                )
                for row in rows
            ]

        return await self._database.read(work)

    async def vectors(
        self, encoder_version: str, hashes: Iterable[str]
    ) -> Mapping[str, tuple[bytes, bool]]:
        """Return stored vectors by text hash, each with whether its text was cut."""
        wanted = set(hashes)

        def work(connection: Connection) -> dict[str, tuple[bytes, bool]]:
            of = (vectors.c.encoder_version == encoder_version) & vectors.c.text_hash.in_(wanted)
            rows = connection.execute(select(vectors).where(of))
            return {row.text_hash: (row.vector, row.truncated) for row in rows}

        return await self._database.read(work)

    async def add_vectors(self, new_vectors: Sequence[NewVector]) -> None:
        """Store vectors of texts."""
        await self._database.write(lambda connection: _add_vectors(connection, new_vectors))


def _item(row: RowMapping) -> Item:
    item = Item.FromString(row["content"])
    item.revision = row["revision"]
    return item


def _answered(row: RowMapping) -> Item:
    """Return an item for callers, without the hashes that stand for its vectors."""
    item = _item(row)
    item.ClearField("vectors")
    return item


def _lock(connection: Connection) -> int:
    """Keep other writers out until the end of the transaction; return the revision."""
    return int(connection.execute(select(state.c.revision).with_for_update()).scalar_one())


def _revision(connection: Connection) -> int:
    return int(connection.execute(select(state.c.revision)).scalar_one())


def _advance(connection: Connection, revision: int) -> int:
    connection.execute(update(state).values(revision=revision))
    return revision


def _progress(connection: Connection, upsert_id: str) -> int:
    query = select(upserts.c.batch_number).where(upserts.c.upsert_id == upsert_id)
    return connection.scalar(query) or 0


def _changed(connection: Connection, drafts: Sequence[Draft]) -> list[Draft]:
    ids = [draft.item.item_id for draft in drafts]
    query = select(items.c.item_id, items.c.content).where(
        items.c.item_id.in_(ids) & ~items.c.deleted
    )
    stored = {row.item_id: row.content for row in connection.execute(query)}
    return [draft for draft in drafts if stored.get(draft.item.item_id) != draft.content]


def _replace(connection: Connection, drafts: Sequence[Draft], revision: int) -> None:
    if not drafts:
        return
    ids = [draft.item.item_id for draft in drafts]
    connection.execute(delete(items).where(items.c.item_id.in_(ids)))
    rows = [
        {
            "item_id": draft.item.item_id,
            "revision": revision + place,
            "deleted": False,
            "text_hash": draft.text_hash,
            "content": draft.content,
        }
        for place, draft in enumerate(drafts, start=1)
    ]
    connection.execute(insert(items), rows)


def _add_vectors(connection: Connection, new_vectors: Sequence[NewVector]) -> None:
    for version in {new.encoder_version for new in new_vectors}:
        rows = {
            new.text_hash: {
                "encoder_version": version,
                "text_hash": new.text_hash,
                "vector": new.vector,
                "truncated": new.truncated,
            }
            for new in new_vectors
            if new.encoder_version == version
        }
        same = (vectors.c.encoder_version == version) & vectors.c.text_hash.in_(list(rows))
        connection.execute(delete(vectors).where(same))
        connection.execute(insert(vectors), list(rows.values()))
