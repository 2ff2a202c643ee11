"""Reads what is too much for one read, page by page."""

from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from sqlalchemy import Connection

from gateway_service.store.database import Database

Page = TypeVar("Page")
Place = TypeVar("Place")


async def pages(
    database: Database, read: Callable[[Connection, Place], tuple[Page, Place]], after: Place
) -> AsyncGenerator[Page, None]:
    """Yield the pages behind a place, each a read of its own.

    read: returns the page behind a place and the place of its end, the same where there is none.
    """
    while True:
        start = after

        def work(connection: Connection, start: Place = start) -> tuple[Page, Place]:
            return read(connection, start)

        page, after = await database.read(work)
        if after == start:
            return
        yield page
