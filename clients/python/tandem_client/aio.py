"""The asyncio client."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1.catalog_service_pb2 import UpsertItemsResponse
from tandem.v1.catalog_service_pb2_grpc import CatalogServiceStub
from tandem.v1.event_pb2 import Event
from tandem.v1.event_service_pb2 import (
    ExportEventsRequest,
    ExportEventsResponse,
    StreamEventsRequest,
    StreamEventsResponse,
)
from tandem.v1.event_service_pb2_grpc import EventServiceStub
from tandem.v1.item_pb2 import Item
from tandem.v1.release_service_pb2 import ActivateReleaseRequest, ActivateReleaseResponse
from tandem.v1.release_service_pb2_grpc import ReleaseServiceStub
from tandem.v1.user_service_pb2 import ExportUserRequest, ExportUserResponse
from tandem.v1.user_service_pb2_grpc import UserServiceStub
from tandem_client import calls
from tandem_client.calls import Call
from tandem_client.channel import open_aio_channel

P = ParamSpec("P")
R = TypeVar("R")


def _method(
    build: Callable[P, Call[R]],
) -> Callable[Concatenate["AsyncTandemClient", P], Awaitable[R]]:
    """Make a method of the client from the function that builds its call."""

    @wraps(build)
    async def method(self: "AsyncTandemClient", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._send(build(*args, **kwargs))

    return method


class AsyncTandemClient:
    """As TandemClient, for asyncio. Made and used inside one running event loop."""

    def __init__(self, target: str, catalog_target: str | None = None) -> None:
        self._channel = open_aio_channel(target)
        self._catalog = open_aio_channel(catalog_target) if catalog_target else self._channel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._channel.close(None)
        await self._catalog.close(None)

    recommend = _method(calls.recommend)
    explain = _method(calls.explain)
    record_events = _method(calls.record_events)
    put_profile = _method(calls.put_profile)
    put_friends = _method(calls.put_friends)
    get_user_state = _method(calls.get_user_state)
    erase_user = _method(calls.erase_user)
    get_items = _method(calls.get_items)
    delete_items = _method(calls.delete_items)
    list_items_page = _method(calls.list_items_page)
    get_upsert_progress = _method(calls.get_upsert_progress)
    rollback_release = _method(calls.rollback_release)
    list_releases = _method(calls.list_releases)
    get_info = _method(calls.get_info)

    async def list_items(
        self, *, page_size: int = 1000, with_vectors: bool = False
    ) -> AsyncIterator[Item]:
        """Yield the whole catalogue, ordered by item id."""
        token = ""
        while True:
            page = await self.list_items_page(token, page_size=page_size, with_vectors=with_vectors)
            for item in page.items:
                yield item
            token = page.next_page_token
            if not token:
                return

    async def upsert_items(
        self,
        items: Iterable[Item],
        *,
        upsert_id: str = "",
        batch_items: int = calls.BATCH_ITEMS,
        timeout_s: float | None = None,
    ) -> UpsertItemsResponse:
        """Write items to the catalogue, as TandemClient.upsert_items does."""
        done = (await self.get_upsert_progress(upsert_id)).batch_number if upsert_id else 0
        batches = calls.upsert_batches(items, upsert_id, done, batch_items)
        return await CatalogServiceStub(self._catalog).UpsertItems(batches, timeout=timeout_s)

    async def stream_events(
        self, batches: AsyncIterable[Sequence[Event]], *, timeout_s: float | None = None
    ) -> AsyncIterator[StreamEventsResponse]:
        """Store batch after batch of events; yields an answer once each is on disk."""

        async def requests() -> AsyncIterator[StreamEventsRequest]:
            async for events in batches:
                yield StreamEventsRequest(events=calls.timed(events))

        stub = EventServiceStub(self._channel)
        async for stored in stub.StreamEvents(requests(), timeout=timeout_s):
            yield stored

    async def export_events(
        self, since: Timestamp | None = None, *, timeout_s: float | None = None
    ) -> AsyncIterator[ExportEventsResponse]:
        """Yield all events, then all logged answers, part by part."""
        request = ExportEventsRequest(since=since)
        async for part in EventServiceStub(self._channel).ExportEvents(request, timeout=timeout_s):
            yield part

    async def activate_release(
        self, release_uri: str, *, force: bool = False, timeout_s: float | None = None
    ) -> AsyncIterator[ActivateReleaseResponse]:
        """Have every service load a release, then serve it. Yields the steps as they happen."""
        request = ActivateReleaseRequest(release_uri=release_uri, force=force)
        stub = ReleaseServiceStub(self._channel)
        async for step in stub.ActivateRelease(request, timeout=timeout_s):
            yield step

    async def export_user(
        self, user_id: str, *, timeout_s: float | None = None
    ) -> AsyncIterator[ExportUserResponse]:
        """Yield all that is stored of a user, in batches: profile, events, then impressions."""
        request = ExportUserRequest(user_id=user_id)
        batches = UserServiceStub(self._channel).ExportUser(request, timeout=timeout_s)
        async for batch in batches:
            yield batch

    async def _send(self, call: Call[R]) -> R:
        catalogued = call.stub is CatalogServiceStub
        stub: Any = call.stub(self._catalog if catalogued else self._channel)
        response: R = await getattr(stub, call.method)(call.request, timeout=call.timeout_s)
        return response
