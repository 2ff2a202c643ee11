"""Gives out all that is stored of a user."""

from collections.abc import AsyncGenerator
from functools import partial

from gateway_service.store.database import Database
from gateway_service.store.user_export import read_events, read_impressions, read_profile
from tandem.v1.user_service_pb2 import ExportUserResponse

# Before all times and keys.
_FIRST_EVENT = (-1, -1)
_FIRST_IMPRESSION = (-1, b"")


async def export_user(database: Database, user_id: str) -> AsyncGenerator[ExportUserResponse, None]:
    """Yield the profile, then events and impressions, oldest first, in batches."""
    yield await database.read(lambda c: read_profile(c, user_id))
    event = _FIRST_EVENT
    while True:
        batch, event = await database.read(partial(read_events, user_id=user_id, after=event))
        if not batch.events:
            break
        yield batch
    shown = _FIRST_IMPRESSION
    while True:
        batch, shown = await database.read(partial(read_impressions, user_id=user_id, after=shown))
        if not batch.impressions:
            break
        yield batch
