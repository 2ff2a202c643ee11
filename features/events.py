"""A user's events as arrays, and what the language model reads of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.clock import CYCLE_WIDTH, MS_PER_HOUR, cycles
from features.item_table import ItemTable
from features.places import closeness, steps_km
from tandem.v1.event_pb2 import HistoryEvent

Float32 = npt.NDArray[np.float32]
EVENT_WIDTH = CYCLE_WIDTH + 5


@dataclass(frozen=True)
class EventArrays:
    """Events of one user, oldest first; every array has one entry per event.

    rows: int32, row in the release's item table, -1 for items that it does not hold.
    actions: int32, numbers of `tandem.v1.Action`. times_ms: int64, Unix milliseconds.
    ratings: float32 in the data set's scale, NaN where there is none. offsets_min: int32, minutes
    from UTC, 0 where unknown. latitudes, longitudes: float32, degrees, where the user was, or else
    where the item is; NaN where neither is known.
    """

    rows: npt.NDArray[np.int32]
    actions: npt.NDArray[np.int32]
    times_ms: npt.NDArray[np.int64]
    ratings: Float32
    offsets_min: npt.NDArray[np.int32]
    latitudes: Float32
    longitudes: Float32

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice) -> "EventArrays":
        return self.take(part)

    def take(self, part: "slice | npt.NDArray[np.bool_]") -> "EventArrays":
        """Return the events of a slice, or those where a mask [events] is true."""
        return EventArrays(
            self.rows[part],
            self.actions[part],
            self.times_ms[part],
            self.ratings[part],
            self.offsets_min[part],
            self.latitudes[part],
            self.longitudes[part],
        )


def event_arrays(history: Sequence[HistoryEvent], items: ItemTable) -> EventArrays:
    """Return the arrays of a `UserState.history`."""
    count = len(history)
    rows = items.rows(event.item_id for event in history)
    latitudes, longitudes = items.places(rows)
    for at, event in enumerate(history):
        if event.HasField("place"):
            latitudes[at], longitudes[at] = event.place.latitude, event.place.longitude
    return EventArrays(
        rows=rows,
        actions=np.fromiter((e.action for e in history), np.int32, count),
        times_ms=np.fromiter(map(_time_ms, history), np.int64, count),
        ratings=np.fromiter(
            (e.rating if e.HasField("rating") else np.nan for e in history), np.float32, count
        ),
        offsets_min=np.fromiter((e.utc_offset.seconds // 60 for e in history), np.int32, count),
        latitudes=latitudes,
        longitudes=longitudes,
    )


def _time_ms(event: HistoryEvent) -> int:
    # As `ToMilliseconds`, which checks ranges that the edge has checked already.
    time = event.event_time
    return time.seconds * 1_000 + time.nanos // 1_000_000


def log_hours(gap_ms: npt.NDArray[np.int64]) -> Float32:
    """Return gaps in time as log(1 + hours) / 10: 0 for none, about 1 for two years."""
    return np.asarray(np.log1p(np.maximum(gap_ms, 0) / MS_PER_HOUR) / 10.0, dtype=np.float32)


def event_features(events: EventArrays, rating_mean: float, rating_scale: float) -> Float32:
    """Return what the model reads of each event besides item and action, float32 [n, EVENT_WIDTH].

    Hour, weekday and season as cycles, the gap since the event before, the rating less the data
    set's mean in its standard deviations (0 where there is none), and whether there is one; how
    close the event was to the one before it, and whether its place is known. Nothing here depends
    on the request, so that an event's token stays the same as time goes on.
    """
    gaps = np.diff(events.times_ms, prepend=events.times_ms[:1])
    rated = np.isfinite(events.ratings)
    ratings = np.where(rated, (events.ratings - rating_mean) / rating_scale, 0.0)
    return np.column_stack(
        [
            cycles(events.times_ms, events.offsets_min),
            log_hours(gaps),
            ratings,
            rated,
            closeness(steps_km(events.latitudes, events.longitudes)),
            np.isfinite(events.latitudes),
        ]
    ).astype(np.float32)
