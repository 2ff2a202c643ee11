"""All that is stored of a user, in batches."""

from sqlalchemy import Connection, select, tuple_

from gateway_service.store.friends import read_friends
from gateway_service.store.logged import logged_event
from gateway_service.store.schema import events, impressions, users
from gateway_service.store.times import timestamp
from tandem.v1.impression_pb2 import Impression
from tandem.v1.user_pb2 import UserProfile
from tandem.v1.user_service_pb2 import ExportUserResponse

EVENTS_AT_ONCE = 500
IMPRESSIONS_AT_ONCE = 100


def read_profile(connection: Connection, user_id: str) -> ExportUserResponse:
    """Return the first message, with the profile if there is one, and the list of friends."""
    profile = connection.scalar(select(users.c.profile).where(users.c.user_id == user_id))
    return ExportUserResponse(
        profile=UserProfile.FromString(profile) if profile is not None else None,
        friends=read_friends(connection, user_id),
    )


def read_events(
    connection: Connection, after: tuple[int, int], user_id: str
) -> tuple[ExportUserResponse, tuple[int, int]]:
    """Return the next events after a time and number, and those of the last one."""
    order = (events.c.event_time_us, events.c.sequence)
    rows = connection.execute(
        select(events)
        .where(events.c.user_id == user_id, tuple_(*order) > after)
        .order_by(*order)
        .limit(EVENTS_AT_ONCE)
    ).all()
    batch = ExportUserResponse(events=map(logged_event, rows))
    return batch, (rows[-1].event_time_us, rows[-1].sequence) if rows else after


def read_impressions(
    connection: Connection, after: tuple[int, bytes], user_id: str
) -> tuple[ExportUserResponse, tuple[int, bytes]]:
    """Return the next impressions after a time and id, and those of the last one."""
    order = (impressions.c.logged_time_us, impressions.c.impression_id)
    rows = connection.execute(
        select(*order, impressions.c.content)
        .where(impressions.c.user_id == user_id, tuple_(*order) > after)
        .order_by(*order)
        .limit(IMPRESSIONS_AT_ONCE)
    ).all()
    batch = ExportUserResponse()
    for row in rows:
        impression = Impression.FromString(row.content)
        impression.logged_time.CopyFrom(timestamp(row.logged_time_us))
        batch.impressions.append(impression)
    return batch, (rows[-1].logged_time_us, rows[-1].impression_id) if rows else after
