"""Gives out all that is stored of a user."""

from collections.abc import AsyncGenerator
from functools import partial

from gateway_service.store.database import Database
from gateway_service.store.pages import pages
from gateway_service.store.user_export import read_events, read_impressions, read_profile
from tandem.v1.user_service_pb2 import ExportUserResponse

# Before all times and keys.
_FIRST_EVENT = (-1, -1)
_FIRST_IMPRESSION = (-1, b"")


async def export_user(database: Database, user_id: str) -> AsyncGenerator[ExportUserResponse, None]:
    """Yield profile and friends, then events and impressions, oldest first, in batches."""
    yield await database.read(lambda c: read_profile(c, user_id))
    events = partial(read_events, user_id=user_id)
    async for batch in pages(database, events, _FIRST_EVENT):
        yield batch
    impressions = partial(read_impressions, user_id=user_id)
    async for batch in pages(database, impressions, _FIRST_IMPRESSION):
        yield batch
