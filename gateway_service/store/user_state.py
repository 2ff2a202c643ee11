"""UserState: what the models read of a user."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from features.words import REVIEW_EVENTS, review_words
from gateway_service.store.schema import events, users
from gateway_service.store.times import duration, timestamp
from tandem.v1.common_pb2 import Place
from tandem.v1.event_pb2 import Event, HistoryEvent
from tandem.v1.user_pb2 import SeenItems, UserProfile, UserState

HISTORY_MAX = 512


def read_user_state(connection: Connection, user_id: str, now_us: int) -> UserState:
    """Return a user's state as it is now. An unknown user has version 0 and no profile."""
    state = UserState(user_id=user_id, read_time=timestamp(now_us))
    user = connection.execute(
        select(users.c.version, users.c.profile).where(users.c.user_id == user_id)
    ).one_or_none()
    if user is None:
        return state
    state.version = user.version
    state.profile.CopyFrom(UserProfile.FromString(user.profile or b""))
    newest = (
        select(
            events.c.item_id,
            events.c.action,
            events.c.event_time_us,
            events.c.dwell_us,
            events.c.rating,
            events.c.latitude,
            events.c.longitude,
            events.c.utc_offset_minutes,
            events.c.text,
        )
        .where(events.c.user_id == user_id, events.c.is_impression.is_(False))
        # Events of the same time keep the order in which they came.
        .order_by(events.c.event_time_us.desc(), events.c.sequence.desc())
        .limit(HISTORY_MAX)
    )
    state.history.extend(_history_event(row) for row in reversed(connection.execute(newest).all()))
    for event in state.history[:-REVIEW_EVENTS]:
        event.ClearField("text")
    state.seen.CopyFrom(_seen_items(connection, user_id))
    return state


def _seen_items(connection: Connection, user_id: str) -> SeenItems:
    """Return every item of the user's events, those that report an impression included.

    An answer that the gateway logged does not count: whether its items came before the user's eyes
    is known only when the caller reports it. Else asking twice would use up the catalogue.
    """
    stored = connection.scalars(
        select(events.c.item_hash).where(events.c.user_id == user_id).distinct()
    ).all()
    hashes = np.array(stored, dtype=np.int64).view(np.uint64)
    hashes.sort()
    return SeenItems(item_hashes=hashes.tolist())


def _history_event(row: Sequence[Any]) -> HistoryEvent:
    item_id, action, time_us, dwell_us, rating, latitude, longitude, offset_minutes, text = row
    event = HistoryEvent(
        item_id=item_id,
        action=action,
        event_time=timestamp(time_us),
        rating=rating,
        text=review_words(text or ""),
    )
    tell_circumstances(event, dwell_us, latitude, longitude, offset_minutes)
    return event


def tell_circumstances(
    event: Event | HistoryEvent,
    dwell_us: int | None,
    latitude: float | None,
    longitude: float | None,
    offset_minutes: int | None,
) -> None:
    """Set those of an event's circumstances that are known."""
    if dwell_us is not None:
        event.dwell.CopyFrom(duration(dwell_us))
    if latitude is not None and longitude is not None:
        event.place.CopyFrom(Place(latitude=latitude, longitude=longitude))
    if offset_minutes is not None:
        event.utc_offset.seconds = offset_minutes * 60
        event.utc_offset.SetInParent()
