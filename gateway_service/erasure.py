"""Forgets users, and keeps them forgotten: the audit log outlives the database and its backups."""

import logging

from gateway_service.store.database import Database
from gateway_service.store.erasures import erase_again, erase_user, unknown_erasures, user_hash
from gateway_service.store.times import now_us
from serving.audit import AuditLog
from tandem.v1.user_service_pb2 import EraseUserResponse

logger = logging.getLogger(__name__)
ERASED = "user_erased"
EXPORTED = "user_exported"


class Erasure:
    """Erases users from the database, told in the audit log by hashes of their ids."""

    def __init__(self, database: Database, audit: AuditLog, key: str) -> None:
        """key: of the hashes, "" for none."""
        self._database = database
        self._audit = audit
        self._key = key

    async def erase(self, user_id: str) -> EraseUserResponse:
        """Delete all that is stored of a user. Raises StorageUnavailable; then do it again.

        The audit log is first: whatever happens then, the next start finishes the work.
        """
        hashed, time_us = user_hash(user_id, self._key), now_us()
        await self._audit.append(ERASED, user=hashed, erase_time_us=time_us)
        return await self._database.write(
            lambda connection: erase_user(connection, user_id, hashed, time_us), purge=True
        )

    async def tell_export(self, user_id: str) -> None:
        """Write down that somebody took what is stored of a user."""
        await self._audit.append(EXPORTED, user=user_hash(user_id, self._key))

    async def erase_again(self) -> int:
        """Erase who is in the database though the audit log says that they were erased.

        That is so after a restore of an older backup, or after a kill at a bad moment. Return how
        many there were.
        """
        told: dict[str, int] = {}
        for record in self._audit.records(ERASED):
            told[record["user"]] = max(record["erase_time_us"], told.get(record["user"], 0))
        if not told:
            return 0
        unknown = await self._database.read(lambda c: unknown_erasures(c, told))
        if not unknown:
            return 0
        count = await self._database.write(
            lambda connection: erase_again(connection, unknown, self._key), purge=True
        )
        logger.warning("%d users were erased again, as the audit log says", count)
        return count
