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
    now = np.array([time_ms], dtype=np.int64)
    since = log_hours(now - events.times_ms[-1:]) if len(events) else np.zeros(1, np.float32)
    clock = cycles(now, np.array([offset_min], dtype=np.int32))[0]
    past = [since[0], np.log1p(len(events)) / 5.0, float(len(events) > 0), float(has_words)]
    return np.concatenate([clock, np.array(past)]).astype(np.float32)
