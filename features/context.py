"""The situation of a request, as the models read it beside history and candidates."""

import numpy as np
import numpy.typing as npt

from features.clock import CYCLE_WIDTH, cycles
from features.events import EventArrays, log_hours
from features.moment import Moment
from features.places import familiarity

CONTEXT_WIDTH = CYCLE_WIDTH + 6


def context_features(
    events: EventArrays, moment: Moment, words_weight: float
) -> npt.NDArray[np.float32]:
    """Return the context of a request after some events, float32 [CONTEXT_WIDTH].

    Local hour, weekday and season as cycles, the time since the last event, how much history there
    is, whether there is any, how familiar the place is and whether it is known, and how much the
    user's words count, 0 without any.
    """
    now = np.array([moment.time_ms], np.int64)
    context = contexts(
        events.times_ms[-1:] if len(events) else now,
        now,
        np.array([moment.offset_min], np.int32),
        np.array([len(events)]),
        np.array(
            [familiarity(events.latitudes, events.longitudes, moment.latitude, moment.longitude)]
        ),
        np.isfinite([moment.latitude]),
    )[0]
    return np.append(context[:-1], np.float32(words_weight))


def contexts(
    last_ms: npt.NDArray[np.int64],
    times_ms: npt.NDArray[np.int64],
    offsets_min: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
    familiar: npt.NDArray[np.floating],
    placed: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    """Return `context_features` of many moments without words, float32 [n, CONTEXT_WIDTH].

    last_ms: times of the last events before the moments. counts: how many events there were.
    familiar: `features.places.familiarity` of the moments' places. placed: whether they are known.
    """
    return np.column_stack(
        [
            cycles(times_ms, offsets_min),
            log_hours(times_ms - last_ms),
            np.log1p(counts) / 5.0,
            counts > 0,
            familiar,
            placed,
            np.zeros(len(counts)),
        ]
    ).astype(np.float32)
