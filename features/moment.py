"""When and where a list is asked for."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.clock import hour_of_week
from features.events import EventArrays
from features.places import unit_vectors
from tandem.v1.context_pb2 import RequestContext


@dataclass(frozen=True)
class Moment:
    """A request's time and place.

    time_ms: Unix milliseconds. offset_min: minutes from UTC, or `features.clock.NO_CLOCK`.
    latitude, longitude: degrees, NaN where unknown. region: by name, as profiles tell it, "" where
    unknown.
    """

    time_ms: int
    offset_min: int = 0
    latitude: float = float("nan")
    longitude: float = float("nan")
    region: str = ""

    @property
    def point(self) -> npt.NDArray[np.float64]:
        """The place as a unit vector, float64 [3], NaN where unknown."""
        point = unit_vectors(np.array([self.latitude]), np.array([self.longitude]))[0]
        return np.asarray(point, np.float64)


def moment_after(
    events: EventArrays,
    time_ms: int,
    offset_min: int | None = None,
    place: tuple[float, float] | None = None,
) -> Moment:
    """Return a moment after some events: what it does not tell is as it was at the newest one."""
    latitude = longitude = float("nan")
    if len(events):
        latitude, longitude = float(events.latitudes[-1]), float(events.longitudes[-1])
    if place is not None:
        latitude, longitude = place
    if offset_min is None:
        offset_min = int(events.offsets_min[-1]) if len(events) else 0
    # What is compared with float32 is float32.
    return Moment(time_ms, offset_min, float(np.float32(latitude)), float(np.float32(longitude)))


def moment_of(context: RequestContext, events: EventArrays, region: str = "") -> Moment:
    """Return the moment of a request of a user with these events, of a region by name."""
    given = context.HasField("place")
    moment = moment_after(
        events,
        context.request_time.ToMilliseconds(),
        context.utc_offset.seconds // 60 if context.HasField("utc_offset") else None,
        (context.place.latitude, context.place.longitude) if given else None,
    )
    return replace(moment, region=region)


def minute_of_week(time_ms: int, offset_min: int) -> int:
    """Return the local minutes since Monday 00:00, from 0 to below 10,080."""
    hours = hour_of_week(np.array([time_ms], np.int64), np.array([offset_min], np.int32))
    return int(hours[0] * 60)
