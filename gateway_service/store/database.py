"""Keeps the database off the event loop: one writer with group commit, a pool of readers."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway_service.store.dialect import check_columns, make_engines, purge_deleted
from gateway_service.store.schema import metadata
from serving.errors import Overloaded, StorageUnavailable

T = TypeVar("T")
logger = logging.getLogger(__name__)
GROUP_MAX = 64
RETRY_S = 0.5


@dataclass(frozen=True)
class _Job(Generic[T]):
    work: Callable[[Connection], T]
    purge: bool
    done: "Future[T]" = field(default_factory=Future)


class Database:
    """Runs functions of a connection. A function must use nothing but the connection.

    Writes run one after the other. Those that wait at the same time share one transaction, hence
    one flush to disk. If one fails, each is run again in a transaction of its own.
    """

    def __init__(self, url: str, *, read_threads: int = 4, write_queue: int = 256) -> None:
        """Open the database and make its tables. Raises StorageUnavailable."""
        try:
            self._writer, self._readers = make_engines(url, read_threads)
            metadata.create_all(self._writer)
            check_columns(self._writer, metadata)
        except (SQLAlchemyError, OSError) as error:
            raise StorageUnavailable(_reason(error)) from error
        self._jobs: queue.Queue[_Job[Any] | None] = queue.Queue(write_queue)
        self._pool = ThreadPoolExecutor(read_threads, thread_name_prefix="store-read")
        self._thread = threading.Thread(target=self._write_jobs, name="store-write", daemon=True)
        self._thread.start()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a read transaction: all that it reads is of one moment."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    async def write(self, work: Callable[[Connection], T], *, purge: bool = False) -> T:
        """Run a function in a write transaction; return once it is committed and on disk.

        With `purge`, what it deleted is unreadable in the files, too. Raises Overloaded if too many
        writes wait already.
        """
        return await asyncio.wrap_future(self._submit(work, purge))

    def write_later(self, work: Callable[[Connection], object]) -> None:
        """Run a function in a write transaction before any that is submitted later.

        Nobody waits for it: if it fails, or too many writes wait already, that is only logged.
        """

        def report(done: "Future[object]") -> None:
            if (error := done.exception()) is not None:
                logger.warning("a write in the background failed: %s", error)

        try:
            self._submit(work, purge=False).add_done_callback(report)
        except Overloaded:
            logger.warning("a write in the background was dropped: too many wait")

    def close(self) -> None:
        """Finish the writes that wait, then close the connections."""
        self._jobs.put(None)
        self._thread.join()
        self._pool.shutdown()
        self._writer.dispose()
        self._readers.dispose()

    def _submit(self, work: Callable[[Connection], T], purge: bool) -> "Future[T]":
        job = _Job(work, purge)
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Overloaded(RETRY_S) from None
        return job.done

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._readers.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _translated(error) from error

    def _write_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            last = False
            while len(group) < GROUP_MAX and not last:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                else:
                    group.append(following)
            # A caller that has gone away has its work dropped before it runs.
            wanted = [job for job in group if job.done.set_running_or_notify_cancel()]
            if wanted:
                _commit(self._writer, wanted)
            if last:
                return


def _commit(engine: Engine, jobs: list[_Job[Any]]) -> None:
    """Run jobs in one transaction, and tell each caller once it is on disk."""
    try:
        with engine.begin() as connection:
            results = [job.work(connection) for job in jobs]
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].done.set_exception(_translated(error))
            return
        # One of them failed and took the others with it: each gets a transaction of its own.
        for job in jobs:
            _commit(engine, [job])
        return
    for job, result in zip(jobs, results, strict=True):
        try:
            if job.purge:
                purge_deleted(engine)
        except Exception as error:
            job.done.set_exception(_translated(error))
        else:
            job.done.set_result(result)


def _translated(error: Exception) -> Exception:
    if not isinstance(error, SQLAlchemyError | OSError):
        return error
    logger.error("the database failed: %s", _reason(error))
    return StorageUnavailable(_reason(error))


def _reason(error: Exception) -> str:
    """Return what the driver says, without the statement and its values, which are user data."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]
