"""Times and durations as the tables hold them: whole microseconds."""

import time

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def now_us() -> int:
    """Return the present time in Unix microseconds."""
    return time.time_ns() // 1000


def to_us(value: Timestamp | Duration) -> int:
    """Return a Unix time or a duration in microseconds. What is finer is cut."""
    return value.seconds * 1_000_000 + value.nanos // 1000


def timestamp(time_us: int) -> Timestamp:
    """Return a Unix time in microseconds as a Timestamp."""
    return Timestamp(seconds=time_us // 1_000_000, nanos=time_us % 1_000_000 * 1000)


def duration(elapsed_us: int) -> Duration:
    """Return non-negative microseconds as a Duration."""
    return Duration(seconds=elapsed_us // 1_000_000, nanos=elapsed_us % 1_000_000 * 1000)
