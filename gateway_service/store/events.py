"""Events: what users did, stored once each."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from features.history import weights_of_actions
from features.ids import item_hash
from gateway_service.attribution import Tokens
from gateway_service.store.dialect import insert_or_ignore
from gateway_service.store.profiles import raise_versions
from gateway_service.store.schema import events
from gateway_service.store.times import to_us
from gateway_service.store.trials import add_trials
from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem.v1.event_service_pb2 import RecordEventsResponse
from tandem.v1.impression_pb2 import Attributed

Row = dict[str, Any]


def event_rows(recorded: Iterable[Event], received_us: int, tokens: Tokens) -> list[Row]:
    """Return checked events as rows of the table."""
    return [event_row(event, received_us, tokens.attributed(event)) for event in recorded]


def event_row(event: Event, received_us: int, attributed: Attributed | None) -> Row:
    """Return a checked event as a row of the table; attributed: what its token says."""
    place = event.place if event.HasField("place") else None
    return {
        "event_id": event.event_id or derived_event_id(event),
        "user_id": event.user_id,
        "item_id": event.item_id,
        "item_hash": signed(item_hash(event.item_id)),
        "action": event.action,
        "is_impression": event.action == event_pb2.ACTION_IMPRESSION,
        "event_time_us": to_us(event.event_time) if event.HasField("event_time") else received_us,
        "received_time_us": received_us,
        "dwell_us": to_us(event.dwell) if event.HasField("dwell") else None,
        "rating": event.rating if event.HasField("rating") else None,
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "utc_offset_minutes": (
            event.utc_offset.seconds // 60 if event.HasField("utc_offset") else None
        ),
        "text": event.text or None,
        "impression_id": attributed.impression_id if attributed else None,
        "position": attributed.position if attributed else None,
        "propensity": attributed.propensity if attributed else None,
    }


def derived_event_id(event: Event) -> str:
    """Return an id made from the fields as they were sent, so that a resent event has the same."""
    content = event.SerializeToString(deterministic=True)
    return f"derived-{blake2b(content, digest_size=16).hexdigest()}"


def record_events(connection: Connection, rows: Sequence[Row]) -> RecordEventsResponse:
    """Store the events that are new, in their order."""
    # Of equal ids in one call the first counts.
    by_id: dict[str, Row] = {}
    for row in rows:
        by_id.setdefault(row["event_id"], row)
    known = select(events.c.event_id).where(events.c.event_id.in_(by_id))
    for event_id in connection.scalars(known):
        del by_id[event_id]
    new = list(by_id.values())
    if new:
        # Another gateway may store one of them meanwhile.
        connection.execute(insert_or_ignore(connection, events), new)
        add_trials(connection, (), _taken_for_exploration(new))
        raise_versions(connection, {row["user_id"] for row in new}, new[0]["received_time_us"])
    return RecordEventsResponse(
        recorded_count=len(new),
        duplicate_count=len(rows) - len(new),
        attributed_count=sum(row["impression_id"] is not None for row in new),
    )


def _taken_for_exploration(rows: Sequence[Row]) -> list[str]:
    """Return the items that were taken from a list in which they stood for exploration."""
    explored = [row for row in rows if row["propensity"] is not None and row["propensity"] < 1]
    weights = weights_of_actions(np.array([row["action"] for row in explored], np.int32))
    taken = {
        (row["impression_id"], row["item_id"])
        for row, weight in zip(explored, weights.tolist(), strict=True)
        if weight > 0
    }
    return [item_id for _, item_id in taken]


def signed(unsigned: int) -> int:
    """Return a 64-bit number as the signed one of the same bits, which databases hold."""
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned
