"""Rows of events as messages."""

from typing import Any

from gateway_service.store.times import timestamp
from gateway_service.store.user_state import tell_circumstances
from tandem.v1.event_pb2 import Event
from tandem.v1.impression_pb2 import Attributed, LoggedEvent


def logged_event(row: Any) -> LoggedEvent:
    """Return a row of the table of events as a message."""
    event = Event(
        event_id=row.event_id,
        user_id=row.user_id,
        item_id=row.item_id,
        action=row.action,
        event_time=timestamp(row.event_time_us),
        rating=row.rating,
        text=row.text or "",
    )
    tell_circumstances(event, row.dwell_us, row.latitude, row.longitude, row.utc_offset_minutes)
    return LoggedEvent(
        event=event,
        attributed=_attributed(row),
        received_time=timestamp(row.received_time_us),
    )


def _attributed(row: Any) -> Attributed | None:
    if row.impression_id is None:
        return None
    return Attributed(
        impression_id=row.impression_id, position=row.position, propensity=row.propensity
    )
