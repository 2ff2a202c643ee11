"""A data set as the messages that the services take."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tandem.v1.common_pb2 import Place
from tandem.v1.event_pb2 import Action, Event
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.user_pb2 import Friend, InterestTag, UserProfile
from training.datasets.fingerprint import fingerprint
from training.datasets.format import UNKNOWN_TIME_MS, Dataset


def items_of(dataset: Dataset) -> Iterator[Item]:
    """Yield the catalogue, in the order of the data set's items."""
    for place, row in enumerate(_rows(dataset.items)):
        item = Item(
            item_id=row.item_id,
            title=row.title,
            description=row.description,
            categories=row.categories,
            tags=row.tags,
            brand=row.brand,
            language_code=row.language_code,
            unavailable=not row.available,
            place=_place(row.lat, row.lon),
            attributes=_attributes(row.attributes),
        )
        if row.created_at != UNKNOWN_TIME_MS:
            item.create_time.FromMilliseconds(int(row.created_at))
        for space, vectors in dataset.vectors.items():
            if vectors[place].any():
                item.vectors[space].float32_values = vectors[place].astype("<f4").tobytes()
        yield item


def events_of(dataset: Dataset) -> Iterator[Event]:
    """Yield the events, in the order of the data set. The same data give the same event ids."""
    prefix = fingerprint(dataset)[:12]
    for number, row in enumerate(_rows(dataset.interactions)):
        event = Event(
            event_id=f"{prefix}-{number}",
            user_id=row.user_id,
            item_id=row.item_id,
            action=Action.Value(f"ACTION_{row.action.upper()}"),
            place=_place(row.lat, row.lon),
            text=row.text,
        )
        event.event_time.FromMilliseconds(int(row.timestamp))
        if np.isfinite(row.rating):
            event.rating = row.rating
        if np.isfinite(row.dwell_ms):
            event.dwell.FromMilliseconds(int(row.dwell_ms))
        if np.isfinite(row.utc_offset_minutes):
            event.utc_offset.FromSeconds(int(row.utc_offset_minutes) * 60)
        yield event


def profiles_of(dataset: Dataset) -> Iterator[tuple[str, UserProfile]]:
    """Yield (user id, profile) of the users of whom more is known than their events."""
    for row in _rows(dataset.users):
        profile = UserProfile(
            text=row.text,
            language_code=row.language_code,
            region_code=row.region_code,
            interest_tags=[InterestTag(tag=tag, confidence=1.0) for tag in row.tags],
            group=row.group,
            friends_enabled=bool(row.friends_enabled),
        )
        if profile.ByteSize() > 0:
            # A data set does not tell when it was said: before all events, training takes it.
            profile.said_time.FromSeconds(0)
            profile.said_time.SetInParent()
            yield row.user_id, profile


def friends_of(dataset: Dataset) -> Iterator[tuple[str, list[Friend]]]:
    """Yield (user id, friends) of the users who have any."""
    ids = dataset.users["user_id"].astype(str).tolist()
    listed: dict[str, list[Friend]] = {}
    for row in _rows(dataset.social):
        friend = Friend(user_id=ids[row.friend_id], weight=row.weight)
        listed.setdefault(ids[row.user_id], []).append(friend)
    yield from listed.items()


def _rows(frame: pd.DataFrame) -> Iterable[Any]:
    """Return a frame's rows as named tuples, whose types only `Dataset` knows."""
    return frame.itertuples(index=False)


def _place(latitude: float, longitude: float) -> Place | None:
    if not (np.isfinite(latitude) and np.isfinite(longitude)):
        return None
    return Place(latitude=latitude, longitude=longitude)


def _attributes(attributes: Mapping[str, object]) -> dict[str, AttributeValue]:
    values = {}
    for name, value in attributes.items():
        # bool first: to Python it is an int as well.
        if isinstance(value, bool):
            values[name] = AttributeValue(bool_value=value)
        elif isinstance(value, int):
            values[name] = AttributeValue(int64_value=value)
        elif isinstance(value, float):
            values[name] = AttributeValue(double_value=value)
        else:
            values[name] = AttributeValue(string_value=str(value))
    return values
