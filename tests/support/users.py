"""A user with a whole profile, what they do, and what a gateway knows of them."""

from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import InterestTag, UserProfile, UserState
from tandem.v1.user_service_pb2 import ExportUserResponse
from tandem_client import AsyncTandemClient
from tests.support.gateway import World

PROFILE = UserProfile(
    text="slow films",
    language_code="zh",
    region_code="DE",
    interest_tags=[InterestTag(tag="war", confidence=-1.0)],
    group="a",
    said_time=Timestamp(seconds=5),
    birth_year=1990,
)


def used(user_id: str, item_id: str, seconds: int = 1_000) -> Event:
    return Event(
        user_id=user_id,
        item_id=item_id,
        action=event_pb2.ACTION_VIEW,
        event_time=Timestamp(seconds=seconds),
    )


async def state(world: World, user_id: str = "anna") -> UserState:
    return (await world.client.get_user_state(user_id)).user


async def exported(client: AsyncTandemClient, user_id: str) -> ExportUserResponse:
    """Return the batches of an export in one."""
    whole = ExportUserResponse()
    async for batch in client.export_user(user_id, timeout_s=20):
        whole.MergeFrom(batch)
    return whole
