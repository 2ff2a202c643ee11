"""What a release knows of time and place; to see what they are worth, it may do without."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from features.clock import NO_CLOCK
from features.events import EventArrays
from features.moment import Moment


@dataclass(frozen=True)
class Senses:
    """clock: whether hour, weekday and season are known; elapsed time always is. place: whether
    anybody's or anything's whereabouts are.
    """

    clock: bool = True
    place: bool = True

    def of_events(self, events: EventArrays) -> EventArrays:
        """Return events without what is not sensed."""
        if not self.clock:
            events = replace(events, offsets_min=np.full(len(events), NO_CLOCK, np.int32))
        if not self.place:
            nowhere = np.full(len(events), np.nan, np.float32)
            events = replace(events, latitudes=nowhere, longitudes=nowhere)
        return events

    def of_moment(self, moment: Moment) -> Moment:
        """Return a moment without what is not sensed."""
        if not self.clock:
            moment = replace(moment, offset_min=NO_CLOCK)
        if not self.place:
            nowhere = float("nan")
            moment = replace(moment, latitude=nowhere, longitude=nowhere, region="")
        return moment

    def by_name(self) -> dict[str, bool]:
        """Return the senses as a manifest holds them."""
        return asdict(self)


ALL_SENSES = Senses()


def named_senses(senses: Mapping[str, bool]) -> Senses:
    """Return what `by_name` gave."""
    return Senses(**senses)
