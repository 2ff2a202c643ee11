"""What each method of the clients sends: written once, for the synchronous and the asyncio one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from tandem.v1 import (
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    context_pb2,
    event_service_pb2,
    event_service_pb2_grpc,
    info_service_pb2,
    info_service_pb2_grpc,
    recommender_service_pb2,
    recommender_service_pb2_grpc,
    release_service_pb2,
    release_service_pb2_grpc,
    user_service_pb2,
    user_service_pb2_grpc,
)
from tandem.v1.catalog_service_pb2 import (
    BatchGetItemsResponse,
    DeleteItemsResponse,
    GetUpsertProgressResponse,
    ListItemsResponse,
    UpsertItemsRequest,
)
from tandem.v1.context_pb2 import Personalization, RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.event_service_pb2 import RecordEventsResponse
from tandem.v1.filter_pb2 import Filter
from tandem.v1.info_service_pb2 import GetInfoResponse
from tandem.v1.item_pb2 import Item
from tandem.v1.recommender_service_pb2 import (
    ExplainResponse,
    RecommendRequest,
    RecommendResponse,
)
from tandem.v1.release_service_pb2 import ListReleasesResponse, RollbackReleaseResponse
from tandem.v1.user_pb2 import Friend, UserProfile
from tandem.v1.user_service_pb2 import (
    EraseUserResponse,
    GetUserStateResponse,
    PutFriendsResponse,
    PutUserProfileResponse,
)
from tandem.v1.variety_pb2 import Pin, Variety

R_co = TypeVar("R_co", covariant=True)
BATCH_ITEMS = 200
# A message may have 16 MiB.
BATCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Call(Generic[R_co]):
    """One call: the stub's class, its method, the request, and the seconds it may take."""

    stub: type
    method: str
    request: Message
    timeout_s: float | None


def recommend(
    user_id: str = "",
    *,
    item_count: int = 0,
    text: str = "",
    text_weight: float | None = None,
    context: RequestContext | None = None,
    filter: Filter | None = None,  # noqa: A002  # the contract's name
    excluded_item_ids: Iterable[str] = (),
    personalization: Personalization.ValueType = context_pb2.PERSONALIZATION_UNSPECIFIED,
    open_only: bool = False,
    exploration_share: float | None = None,
    variety: Variety | None = None,
    pins: Iterable[Pin] = (),
    timeout_s: float | None = None,
) -> Call[RecommendResponse]:
    """Return a ranked list for a user in a context. `item_count` 0 is the server's default, 10.

    text_weight: how much words count beside the user's past, 0 to 10; 1 is the server's default.
    exploration_share: of the places, for new items; unset is the server's default.
    open_only: leave out places that are closed at the request's time.
    variety: how unlike each other the items are to be. pins: items that must stand at a place.
    """
    request = recommender_service_pb2.RecommendRequest(
        user_id=user_id,
        item_count=item_count,
        text=text,
        text_weight=text_weight,
        context=context,
        filter=filter,
        excluded_item_ids=excluded_item_ids,
        personalization=personalization,
        open_only=open_only,
        exploration_share=exploration_share,
        variety=variety,
        pins=pins,
    )
    return Call(
        recommender_service_pb2_grpc.RecommenderServiceStub, "Recommend", request, timeout_s
    )


def explain(
    request: RecommendRequest, item_id: str, *, timeout_s: float | None = None
) -> Call[ExplainResponse]:
    """Tell what became of an item in the list that a request gets: shown, or dropped where."""
    asked = recommender_service_pb2.ExplainRequest(request=request, item_id=item_id)
    return Call(recommender_service_pb2_grpc.RecommenderServiceStub, "Explain", asked, timeout_s)


def record_events(
    events: Iterable[Event], *, timeout_s: float | None = None
) -> Call[RecordEventsResponse]:
    """Store 1 to 1,000 events, all or none; they are on disk when this returns.

    Events without a time get the present one, so that doing the same thing twice counts twice,
    while a call that the channel had to send again counts once.
    """
    request = event_service_pb2.RecordEventsRequest(events=timed(events))
    return Call(event_service_pb2_grpc.EventServiceStub, "RecordEvents", request, timeout_s)


def timed(events: Iterable[Event]) -> list[Event]:
    """Return events, those without a time with the present one."""
    copies = []
    for event in events:
        copy = Event()
        copy.CopyFrom(event)
        if not copy.HasField("event_time"):
            copy.event_time.GetCurrentTime()
        copies.append(copy)
    return copies


def put_profile(
    user_id: str, profile: UserProfile, *, timeout_s: float | None = None
) -> Call[PutUserProfileResponse]:
    """Replace a user's whole profile; it is on disk when this returns."""
    request = user_service_pb2.PutUserProfileRequest(user_id=user_id, profile=profile)
    return Call(user_service_pb2_grpc.UserServiceStub, "PutUserProfile", request, timeout_s)


def put_friends(
    user_id: str, friends: Iterable[Friend], *, timeout_s: float | None = None
) -> Call[PutFriendsResponse]:
    """Replace a user's whole list of friends; it is on disk when this returns."""
    request = user_service_pb2.PutFriendsRequest(user_id=user_id, friends=friends)
    return Call(user_service_pb2_grpc.UserServiceStub, "PutFriends", request, timeout_s)


def get_user_state(user_id: str, *, timeout_s: float | None = None) -> Call[GetUserStateResponse]:
    """Return what the models would read of a user now. An unknown user has version 0."""
    request = user_service_pb2.GetUserStateRequest(user_id=user_id)
    return Call(user_service_pb2_grpc.UserServiceStub, "GetUserState", request, timeout_s)


def erase_user(user_id: str, *, timeout_s: float | None = None) -> Call[EraseUserResponse]:
    """Remove a user's profile, events and impressions for good."""
    request = user_service_pb2.EraseUserRequest(user_id=user_id)
    return Call(user_service_pb2_grpc.UserServiceStub, "EraseUser", request, timeout_s)


def delete_items(
    item_ids: Iterable[str], *, timeout_s: float | None = None
) -> Call[DeleteItemsResponse]:
    """Remove 1 to 1,000 items from the catalogue. Unknown ids are no error."""
    request = catalog_service_pb2.DeleteItemsRequest(item_ids=item_ids)
    return Call(catalog_service_pb2_grpc.CatalogServiceStub, "DeleteItems", request, timeout_s)


def get_items(
    item_ids: Iterable[str], *, timeout_s: float | None = None
) -> Call[BatchGetItemsResponse]:
    """Return those of 1 to 1,000 items that exist, in the order asked."""
    request = catalog_service_pb2.BatchGetItemsRequest(item_ids=item_ids)
    return Call(catalog_service_pb2_grpc.CatalogServiceStub, "BatchGetItems", request, timeout_s)


def list_items_page(
    page_token: str = "",
    *,
    page_size: int = 0,
    with_vectors: bool = False,
    timeout_s: float | None = None,
) -> Call[ListItemsResponse]:
    """Return one page of the catalogue, ordered by item id."""
    request = catalog_service_pb2.ListItemsRequest(
        page_token=page_token, page_size=page_size, with_vectors=with_vectors
    )
    return Call(catalog_service_pb2_grpc.CatalogServiceStub, "ListItems", request, timeout_s)


def get_upsert_progress(
    upsert_id: str, *, timeout_s: float | None = None
) -> Call[GetUpsertProgressResponse]:
    """Return the number of the last batch of a named upsert that is on disk, 0 if none is."""
    request = catalog_service_pb2.GetUpsertProgressRequest(upsert_id=upsert_id)
    stub = catalog_service_pb2_grpc.CatalogServiceStub
    return Call(stub, "GetUpsertProgress", request, timeout_s)


def rollback_release(*, timeout_s: float | None = None) -> Call[RollbackReleaseResponse]:
    """Have the previous release serve again."""
    request = release_service_pb2.RollbackReleaseRequest()
    return Call(release_service_pb2_grpc.ReleaseServiceStub, "RollbackRelease", request, timeout_s)


def list_releases(*, timeout_s: float | None = None) -> Call[ListReleasesResponse]:
    """Return the releases that were activated, newest first."""
    request = release_service_pb2.ListReleasesRequest()
    return Call(release_service_pb2_grpc.ReleaseServiceStub, "ListReleases", request, timeout_s)


def get_info(*, timeout_s: float | None = None) -> Call[GetInfoResponse]:
    """Return version, releases and limits of the gateway."""
    request = info_service_pb2.GetInfoRequest()
    return Call(info_service_pb2_grpc.InfoServiceStub, "GetInfo", request, timeout_s)


def upsert_batches(
    items: Iterable[Item], upsert_id: str, done: int, batch_items: int = BATCH_ITEMS
) -> Iterator[UpsertItemsRequest]:
    """Yield the batches of an upsert after the first `done` ones, which are on disk already.

    A batch holds fewer items where more would be beyond BATCH_BYTES: vectors may be long.
    """
    for number, batch in enumerate(_cut(items, batch_items), start=1):
        if number > done:
            yield UpsertItemsRequest(items=batch, upsert_id=upsert_id, batch_number=number)


def _cut(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    filled = 0
    for item in items:
        size = item.ByteSize()
        if batch and (len(batch) == most or filled + size > BATCH_BYTES):
            yield batch
            batch, filled = [], 0
        batch.append(item)
        filled += size
    if batch:
        yield batch
