"""What a running system has logged, as a data set directory: events, lists, items and profiles."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.candidates import FEATURES
from tandem.v1.common_pb2 import Vector
from tandem.v1.event_pb2 import Action, Event
from tandem.v1.event_service_pb2 import ExportEventsResponse, KnownFriends, KnownProfile
from tandem.v1.impression_pb2 import Impression, LoggedEvent
from tandem.v1.item_pb2 import Item
from training.datasets.format import FEATURE_PREFIX, ITEM_COLUMNS

TIME = pa.timestamp("ms", tz="UTC")
EVENTS = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("timestamp", TIME),
        ("action", pa.string()),
        ("rating", pa.float64()),
        ("dwell_ms", pa.float64()),
        ("lat", pa.float64()),
        ("lon", pa.float64()),
        ("utc_offset_minutes", pa.float64()),
        ("text", pa.string()),
    ]
)
LISTS = pa.schema(
    [
        ("impression_id", pa.string()),
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("timestamp", TIME),
        ("position", pa.int32()),
        ("propensity", pa.float64()),
        ("action", pa.string()),
        *((FEATURE_PREFIX + name, pa.float32()) for name in FEATURES),
    ]
)
# Of several things that were done with an item of a list, the first of these counts.
STRONGEST = (
    Action.ACTION_PURCHASE,
    Action.ACTION_LIKE,
    Action.ACTION_RATE,
    Action.ACTION_VIEW,
    Action.ACTION_CLICK,
    Action.ACTION_DISMISS,
    Action.ACTION_IMPRESSION,
)
# By list and item, what was done with it.
Outcomes = dict[tuple[bytes, str], Action.ValueType]


def write_exported(
    directory: Path,
    parts: Iterable[ExportEventsResponse],
    items: Iterable[Item],
    *,
    name: str,
    repeat: bool,
) -> None:
    """Write a data set directory. parts: of one export, events before lists.

    Lists that led to nothing and whose features were not logged are left out: nothing is learned
    from them.
    """
    directory.mkdir(parents=True)
    outcomes: Outcomes = {}
    profiles: list[KnownProfile] = []
    friends: list[dict[str, Any]] = []
    known: set[str] = set()
    with (
        pq.ParquetWriter(directory / "interactions.parquet", EVENTS) as events,
        pq.ParquetWriter(directory / "impressions.parquet", LISTS) as lists,
    ):
        for part in parts:
            for logged in part.events:
                _note(outcomes, logged)
            rows = [_event_row(logged.event) for logged in part.events]
            events.write_table(pa.Table.from_pylist(rows, EVENTS))
            shown = [row for one in part.impressions for row in _list_rows(one, outcomes)]
            lists.write_table(pa.Table.from_pylist(shown, LISTS))
            profiles.extend(part.profiles)
            known |= {logged.event.user_id for logged in part.events}
            known |= {one.user_id for one in part.profiles}
            friends += [row for one in part.friends for row in _friend_rows(one)]
    of_items: list[dict[str, Any]] = []
    vectors: list[dict[str, Any]] = []
    for item in items:
        of_items.append(_item_row(item))
        vectors.extend(_vector_rows(item))
    _write(directory / "items.parquet", pd.DataFrame(of_items))
    _write(directory / "vectors.parquet", pd.DataFrame(vectors))
    _write(directory / "users.parquet", pd.DataFrame([_user_row(known) for known in profiles]))
    # Of others a data set knows nothing.
    told = [row for row in friends if {row["user_id"], row["friend_id"]} <= known]
    _write(directory / "social.parquet", pd.DataFrame(told))
    about = {"name": name, "repeat": repeat}
    (directory / "dataset.json").write_text(json.dumps(about, ensure_ascii=False))


def _note(outcomes: Outcomes, logged: LoggedEvent) -> None:
    if not logged.HasField("attributed"):
        return
    key = (logged.attributed.impression_id, logged.event.item_id)
    both = {logged.event.action, outcomes.get(key, logged.event.action)}
    outcomes[key] = next(action for action in STRONGEST if action in both)


def _event_row(event: Event) -> dict[str, Any]:
    placed = event.HasField("place")
    return {
        "user_id": event.user_id,
        "item_id": event.item_id,
        "timestamp": event.event_time.ToMilliseconds(),
        "action": _word(event.action),
        "rating": event.rating if event.HasField("rating") else None,
        "dwell_ms": event.dwell.ToMilliseconds() if event.HasField("dwell") else None,
        "lat": event.place.latitude if placed else None,
        "lon": event.place.longitude if placed else None,
        "utc_offset_minutes": (
            event.utc_offset.seconds // 60 if event.HasField("utc_offset") else None
        ),
        "text": event.text,
    }


def _list_rows(impression: Impression, outcomes: Outcomes) -> Iterator[dict[str, Any]]:
    """Yield the rows of a list, if it led to something or its features were logged."""
    list_id = impression.impression_id
    actions = [outcomes.get((list_id, item.item_id)) for item in impression.items]
    logged = impression.HasField("features")
    if not impression.user_id or not (logged or any(actions)):
        return
    names = [FEATURE_PREFIX + name for name in impression.features.names]
    reads = impression.features.items if logged else [Vector()] * len(actions)
    rows = zip(impression.items, actions, reads, strict=True)
    for position, (item, action, read) in enumerate(rows, start=1):
        values = np.frombuffer(read.float32_values, "<f4").tolist()
        yield {
            "impression_id": list_id.hex(),
            "user_id": impression.user_id,
            "item_id": item.item_id,
            "timestamp": impression.request_time.ToMilliseconds(),
            "position": position,
            "propensity": item.propensity,
            "action": "" if action is None else _word(action),
            # Of items that the ranker did not read, nothing.
            **(dict(zip(names, values, strict=True)) if values else {}),
        }


def _item_row(item: Item) -> dict[str, Any]:
    placed, dated = item.HasField("place"), item.HasField("create_time")
    # An attribute that is called like a column of the format has no place in it.
    attributes = {
        name: getattr(value, str(value.WhichOneof("kind")))
        for name, value in sorted(item.attributes.items())
        if name not in ITEM_COLUMNS
    }
    return {
        "item_id": item.item_id,
        "title": item.title,
        "description": item.description,
        "categories": list(item.categories),
        "tags": list(item.tags),
        "brand": item.brand,
        "language_code": item.language_code,
        "created_at": item.create_time.ToDatetime() if dated else None,
        "available": not item.unavailable,
        "lat": item.place.latitude if placed else None,
        "lon": item.place.longitude if placed else None,
        **attributes,
    }


def _vector_rows(item: Item) -> Iterator[dict[str, Any]]:
    for space, vector in item.vectors.items():
        values = np.frombuffer(vector.float32_values, "<f4")
        yield {"item_id": item.item_id, "space": space, "vector": values}


def _user_row(known: KnownProfile) -> dict[str, Any]:
    profile = known.profile
    return {
        "user_id": known.user_id,
        "text": profile.text,
        "language_code": profile.language_code,
        "region_code": profile.region_code,
        "tags": [tag.tag for tag in profile.interest_tags if tag.confidence >= 0],
        "group": profile.group,
        "friends_enabled": profile.friends_enabled and not profile.personalization_disabled,
    }


def _friend_rows(known: KnownFriends) -> Iterator[dict[str, Any]]:
    for friend in known.friends:
        yield {"user_id": known.user_id, "friend_id": friend.user_id, "weight": friend.weight}


def _word(action: Action.ValueType) -> str:
    return Action.Name(action).removeprefix("ACTION_").lower()


def _write(path: Path, frame: pd.DataFrame) -> None:
    if len(frame):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
