"""All that is stored of a user, in batches."""

from typing import Any

from sqlalchemy import Connection, select, tuple_

from gateway_service.store.schema import events, impressions, users
from gateway_service.store.times import timestamp
from gateway_service.store.user_state import tell_circumstances
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import UserProfile
from tandem.v1.user_service_pb2 import ExportUserResponse, Impression, ShownItem

EVENTS_AT_ONCE = 500
IMPRESSIONS_AT_ONCE = 100


def read_profile(connection: Connection, user_id: str) -> ExportUserResponse:
    """Return the first message, with the profile if there is one."""
    profile = connection.scalar(select(users.c.profile).where(users.c.user_id == user_id))
    return ExportUserResponse(
        profile=UserProfile.FromString(profile) if profile is not None else None
    )


def read_events(
    connection: Connection, user_id: str, after: tuple[int, int]
) -> tuple[ExportUserResponse, tuple[int, int]]:
    """Return the next events after a time and number, and those of the last one."""
    order = (events.c.event_time_us, events.c.sequence)
    rows = connection.execute(
        select(events)
        .where(events.c.user_id == user_id, tuple_(*order) > after)
        .order_by(*order)
        .limit(EVENTS_AT_ONCE)
    ).all()
    batch = ExportUserResponse(
        events=map(_event, rows),
        event_received_times=[timestamp(row.received_time_us) for row in rows],
    )
    return batch, (rows[-1].event_time_us, rows[-1].sequence) if rows else after


def read_impressions(
    connection: Connection, user_id: str, after: tuple[int, str]
) -> tuple[ExportUserResponse, tuple[int, str]]:
    """Return the next impressions after a time and token, and those of the last one."""
    order = (impressions.c.logged_time_us, impressions.c.attribution_token)
    rows = connection.execute(
        select(impressions)
        .where(impressions.c.user_id == user_id, tuple_(*order) > after)
        .order_by(*order)
        .limit(IMPRESSIONS_AT_ONCE)
    ).all()
    batch = ExportUserResponse(impressions=map(_impression, rows))
    return batch, (rows[-1].logged_time_us, rows[-1].attribution_token) if rows else after


def _event(row: Any) -> Event:
    event = Event(
        event_id=row.event_id,
        user_id=row.user_id,
        item_id=row.item_id,
        action=row.action,
        event_time=timestamp(row.event_time_us),
        rating=row.rating,
        text=row.text or "",
        attribution_token=row.attribution_token or "",
    )
    tell_circumstances(event, row.dwell_us, row.latitude, row.longitude, row.utc_offset_minutes)
    return event


def _impression(row: Any) -> Impression:
    return Impression(
        attribution_token=row.attribution_token,
        request_id=row.request_id,
        release_id=row.release_id,
        surface=row.surface,
        request_time=timestamp(row.request_time_us),
        logged_time=timestamp(row.logged_time_us),
        degraded=row.degraded,
        experiment_arms=row.experiment_arms,
        items=[
            ShownItem(item_id=item_id, score=score, sources=sources)
            for item_id, score, sources in row.items
        ],
    )
