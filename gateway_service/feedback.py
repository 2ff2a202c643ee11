"""Events come in, and go out to training."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from functools import partial
from typing import TypeVar

from gateway_service.attribution import Tokens
from gateway_service.live_counts import LiveCounts
from gateway_service.releases import Releases
from gateway_service.store.database import Database
from gateway_service.store.events import event_rows, record_events
from gateway_service.store.export import (
    events_page,
    friends_page,
    impressions_page,
    profiles_page,
)
from gateway_service.store.pages import pages
from gateway_service.store.times import now_us, to_us
from gateway_service.validation import check_record_events
from serving.validation import check_time
from tandem.v1.event_service_pb2 import (
    ExportEventsRequest,
    ExportEventsResponse,
    KnownFriends,
    KnownProfile,
    RecordEventsRequest,
    RecordEventsResponse,
)
from tandem.v1.impression_pb2 import Impression, LoggedEvent

Logged = TypeVar("Logged", LoggedEvent, Impression, KnownProfile, KnownFriends)
PART_BYTES = 1 << 20


class Feedback:
    """Records events and exports what was logged."""

    def __init__(
        self, database: Database, tokens: Tokens, releases: Releases, live: LiveCounts
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._releases = releases
        self._live = live

    async def record(self, request: RecordEventsRequest) -> RecordEventsResponse:
        """Store events; return once they are on disk. Raises InvalidField, Overloaded."""
        received_us = now_us()
        # A thousand events take some milliseconds, which the other calls should not wait for.
        await asyncio.to_thread(check_record_events, request)
        rows = await asyncio.to_thread(event_rows, request.events, received_us, self._tokens)
        stored = await self._database.write(lambda connection: record_events(connection, rows))
        if stored.recorded_count:
            await self._live.refresh(self._releases.held())
        return stored

    async def export(
        self, request: ExportEventsRequest
    ) -> AsyncGenerator[ExportEventsResponse, None]:
        """Yield events, answers, profiles and lists of friends; each page is a read of its own."""
        if request.HasField("since"):
            check_time("since", request.since)
        since_us = to_us(request.since)
        async for events in pages(self._database, partial(events_page, since_us=since_us), 0):
            for part in _parts(events):
                yield ExportEventsResponse(events=part)
        async for impressions in pages(self._database, impressions_page, (since_us - 1, b"")):
            for some in _parts(impressions):
                yield ExportEventsResponse(impressions=some)
        async for profiles in pages(self._database, profiles_page, ""):
            for few in _parts(profiles):
                yield ExportEventsResponse(profiles=few)
        async for lists in pages(self._database, friends_page, ("", "")):
            for together in _parts(lists):
                yield ExportEventsResponse(friends=together)


def _parts(messages: Iterable[Logged]) -> Iterator[list[Logged]]:
    """Yield messages in parts that fit into one message each."""
    part: list[Logged] = []
    size = 0
    for message in messages:
        size += message.ByteSize()
        if part and size > PART_BYTES:
            yield part
            part, size = [], message.ByteSize()
        part.append(message)
    if part:
        yield part
