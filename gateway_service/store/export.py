"""What was logged, page by page: events and answers, as training reads them."""

from typing import Any

from sqlalchemy import Connection, and_, or_, select

from gateway_service.store.schema import events, impressions, users
from gateway_service.store.times import duration, timestamp
from tandem.v1.common_pb2 import Place
from tandem.v1.event_pb2 import Event
from tandem.v1.event_service_pb2 import KnownProfile
from tandem.v1.impression_pb2 import Attributed, Impression, LoggedEvent
from tandem.v1.user_pb2 import UserProfile

EVENTS_PAGE = 1_000
IMPRESSIONS_PAGE = 100
PROFILES_PAGE = 1_000


def events_page(connection: Connection, since_us: int, after: int) -> tuple[list[LoggedEvent], int]:
    """Return the next events received since a time, and the sequence of the last one."""
    query = (
        select(events)
        .where(events.c.sequence > after, events.c.received_time_us >= since_us)
        .order_by(events.c.sequence)
        .limit(EVENTS_PAGE)
    )
    rows = connection.execute(query).all()
    return [logged_event(row) for row in rows], rows[-1].sequence if rows else after


def impressions_page(
    connection: Connection, after: tuple[int, bytes]
) -> tuple[list[Impression], tuple[int, bytes]]:
    """Return the answers logged after one, by its time and id, and the same of the last one."""
    time_us, impression_id = after
    logged, key = impressions.c.logged_time_us, impressions.c.impression_id
    query = (
        select(logged, key, impressions.c.content)
        .where(or_(logged > time_us, and_(logged == time_us, key > impression_id)))
        .order_by(logged, key)
        .limit(IMPRESSIONS_PAGE)
    )
    rows = connection.execute(query).all()
    last = (rows[-1].logged_time_us, rows[-1].impression_id) if rows else after
    return [Impression.FromString(row.content) for row in rows], last


def profiles_page(connection: Connection, after: str) -> tuple[list[KnownProfile], str]:
    """Return the profiles of the next users by id, and the id of the last one."""
    query = (
        select(users.c.user_id, users.c.profile)
        .where(users.c.user_id > after, users.c.profile.is_not(None))
        .order_by(users.c.user_id)
        .limit(PROFILES_PAGE)
    )
    rows = connection.execute(query).all()
    found = [
        KnownProfile(user_id=row.user_id, profile=UserProfile.FromString(row.profile))
        for row in rows
    ]
    return found, rows[-1].user_id if rows else after


def logged_event(row: Any) -> LoggedEvent:
    """Return a row of the table of events as a message."""
    return LoggedEvent(event=_event(row), attributed=_attributed(row))


def _event(row: Any) -> Event:
    event = Event(
        event_id=row.event_id,
        user_id=row.user_id,
        item_id=row.item_id,
        action=row.action,
        event_time=timestamp(row.event_time_us),
        rating=row.rating,
        text=row.text or "",
    )
    if row.dwell_us is not None:
        event.dwell.CopyFrom(duration(row.dwell_us))
    if row.latitude is not None:
        event.place.CopyFrom(Place(latitude=row.latitude, longitude=row.longitude))
    if row.utc_offset_minutes is not None:
        event.utc_offset.seconds = row.utc_offset_minutes * 60
        event.utc_offset.SetInParent()
    return event


def _attributed(row: Any) -> Attributed | None:
    if row.impression_id is None:
        return None
    return Attributed(
        impression_id=row.impression_id, position=row.position, propensity=row.propensity
    )
