"""The synchronous client."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from tandem_client.channel import open_channel

P = ParamSpec("P")
R = TypeVar("R")


def _method(build: Callable[P, Call[R]]) -> Callable[Concatenate["TandemClient", P], R]:
    """Make a method of the client from the function that builds its call."""

    @wraps(build)
    def method(self: "TandemClient", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._send(build(*args, **kwargs))

    return method


class TandemClient:
    """Calls a Tandem gateway, and the catalogue for items. Safe to share between threads.

    target, catalog_target: `host:port`. The catalogue is served by the retrieval service; where
    one address routes to every service, `catalog_target` can be left out.
    Failed calls raise grpc.RpcError; `tandem_client.errors.reason_of` reads it.
    """

    def __init__(self, target: str, catalog_target: str | None = None) -> None:
        self._channel = open_channel(target)
        self._catalog = open_channel(catalog_target) if catalog_target else self._channel

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._channel.close()
        self._catalog.close()

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

    def list_items(self, *, page_size: int = 1000, with_vectors: bool = False) -> Iterator[Item]:
        """Yield the whole catalogue, ordered by item id."""
        token = ""
        while True:
            page = self.list_items_page(token, page_size=page_size, with_vectors=with_vectors)
            yield from page.items
            token = page.next_page_token
            if not token:
                return

    def upsert_items(
        self,
        items: Iterable[Item],
        *,
        upsert_id: str = "",
        batch_items: int = calls.BATCH_ITEMS,
        timeout_s: float | None = None,
    ) -> UpsertItemsResponse:
        """Write items to the catalogue, batch by batch; they are on disk when this returns.

        With an `upsert_id`, a call that broke is resumed by the same call: batches that are on disk
        already are left out. The items, their order and `batch_items` must then be the same.
        """
        done = self.get_upsert_progress(upsert_id).batch_number if upsert_id else 0
        batches = calls.upsert_batches(items, upsert_id, done, batch_items)
        return CatalogServiceStub(self._catalog).UpsertItems(batches, timeout=timeout_s)

    def stream_events(
        self, batches: Iterable[Sequence[Event]], *, timeout_s: float | None = None
    ) -> Iterator[StreamEventsResponse]:
        """Store batch after batch of events; yields an answer once each is on disk."""
        requests = (StreamEventsRequest(events=calls.timed(events)) for events in batches)
        yield from EventServiceStub(self._channel).StreamEvents(requests, timeout=timeout_s)

    def export_events(
        self, since: Timestamp | None = None, *, timeout_s: float | None = None
    ) -> Iterator[ExportEventsResponse]:
        """Yield all events, then all logged answers, part by part."""
        request = ExportEventsRequest(since=since)
        yield from EventServiceStub(self._channel).ExportEvents(request, timeout=timeout_s)

    def activate_release(
        self, release_uri: str, *, force: bool = False, timeout_s: float | None = None
    ) -> Iterator[ActivateReleaseResponse]:
        """Have every service load a release, then serve it. Yields the steps as they happen."""
        request = ActivateReleaseRequest(release_uri=release_uri, force=force)
        yield from ReleaseServiceStub(self._channel).ActivateRelease(request, timeout=timeout_s)

    def export_user(
        self, user_id: str, *, timeout_s: float | None = None
    ) -> Iterator[ExportUserResponse]:
        """Yield all that is stored of a user, in batches: profile, events, then impressions."""
        request = ExportUserRequest(user_id=user_id)
        yield from UserServiceStub(self._channel).ExportUser(request, timeout=timeout_s)

    def _send(self, call: Call[R]) -> R:
        catalogued = call.stub is CatalogServiceStub
        stub: Any = call.stub(self._catalog if catalogued else self._channel)
        response: R = getattr(stub, call.method)(call.request, timeout=call.timeout_s)
        return response
