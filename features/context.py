"""The situation of a request, as the language model reads it beside each candidate."""

import numpy as np
import numpy.typing as npt

from features.clock import CYCLE_WIDTH, cycles
from features.events import EventArrays, log_hours

CONTEXT_WIDTH = CYCLE_WIDTH + 4


def context_features(
    events: EventArrays, time_ms: int, offset_min: int, has_words: bool
) -> npt.NDArray[np.float32]:
    """Return the context of a request at `time_ms` (Unix), float32 [CONTEXT_WIDTH].

    Local hour and weekday as cycles, the time since the last event, how much history there is, and
    whether there is any and any words.
    """
    now, offset = np.array([time_ms], np.int64), np.array([offset_min], np.int32)
    count = np.array([len(events)])
    context = contexts(events.times_ms[-1:] if len(events) else now, now, offset, count)[0]
    return np.append(context[:-1], np.float32(has_words))


def contexts(
    last_ms: npt.NDArray[np.int64],
    times_ms: npt.NDArray[np.int64],
    offsets_min: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Return `context_features` of many moments without words, float32 [n, CONTEXT_WIDTH].

    last_ms: times of the last events before the moments. counts: how many events there were.
    """
    since = log_hours(times_ms - last_ms)
    return np.column_stack(
        [
            cycles(times_ms, offsets_min),
            since,
            np.log1p(counts) / 5.0,
            counts > 0,
            np.zeros(len(counts)),
        ]
    ).astype(np.float32)
