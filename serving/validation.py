"""Checks of request fields. Each raises InvalidField, which names the field and its limit."""

import math
import re
from collections.abc import Sized

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from serving.errors import InvalidField
from tandem.v1.common_pb2 import Place

ID_BYTES_MAX = 256
# 1970-01-01 and 2101-01-01, both UTC, as Unix seconds: "between the years 1970 and 2100".
TIME_START_S = 0
TIME_END_S = 4_133_980_800
UTC_OFFSET_MAX_S = 18 * 3600
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
LANGUAGE_BYTES_MAX = 35


def check_id(field: str, value: str, *, bytes_max: int = ID_BYTES_MAX) -> None:
    """Check a required id: 1 to `bytes_max` bytes of UTF-8 without control characters."""
    if not value:
        raise InvalidField(field, "is required")
    check_label(field, value, bytes_max=bytes_max)


def check_label(field: str, value: str, *, bytes_max: int) -> None:
    """Check an optional short text: at most `bytes_max` bytes without control characters."""
    check_text(field, value, bytes_max=bytes_max)
    if _CONTROL.search(value):
        raise InvalidField(field, "must not contain control characters")


def check_text(field: str, value: str, *, bytes_max: int) -> None:
    """Check a text: at most `bytes_max` bytes of UTF-8, without NUL, which databases refuse."""
    # A text has at most four bytes a character, so most need not be encoded to be measured.
    if len(value) * 4 > bytes_max and (size := len(value.encode())) > bytes_max:
        raise InvalidField(field, f"must have at most {bytes_max:,} bytes, has {size:,}")
    if "\x00" in value:
        raise InvalidField(field, "must not contain NUL characters")


def check_language(field: str, value: str) -> None:
    """Check an optional BCP 47 code."""
    if value and not (len(value) <= LANGUAGE_BYTES_MAX and _LANGUAGE.fullmatch(value)):
        problem = f"must be a BCP 47 code of at most {LANGUAGE_BYTES_MAX} bytes, such as 'en'"
        raise InvalidField(field, problem)


def check_integer(field: str, value: int, *, low: int, high: int) -> None:
    """Check a whole number."""
    if not low <= value <= high:
        raise InvalidField(field, f"must be from {low:,} to {high:,}, is {value:,}")


def count_or_default(field: str, value: int, *, default: int, high: int) -> int:
    """Return a count from 1 to `high`, or the default where it is 0 (not given)."""
    if value == 0:
        return default
    check_integer(field, value, low=1, high=high)
    return value


def check_number(
    field: str, value: float, *, low: float = -math.inf, high: float = math.inf
) -> None:
    """Check a finite number within an inclusive range."""
    if not math.isfinite(value):
        raise InvalidField(field, "must be a finite number")
    if not low <= value <= high:
        raise InvalidField(field, f"must be from {low:,g} to {high:,g}")


def check_place(field: str, place: Place) -> None:
    """Check coordinates in degrees."""
    check_number(f"{field}.latitude", place.latitude, low=-90, high=90)
    check_number(f"{field}.longitude", place.longitude, low=-180, high=180)


def check_time(field: str, time: Timestamp) -> None:
    """Check a time: between the years 1970 and 2100, both included."""
    if not TIME_START_S <= time.seconds < TIME_END_S:
        raise InvalidField(field, "must be between the years 1970 and 2100")
    if not 0 <= time.nanos <= 999_999_999:
        raise InvalidField(f"{field}.nanos", "must be from 0 to 999,999,999")


def check_duration(field: str, duration: Duration, *, high_s: int) -> None:
    """Check a duration: from 0 to `high_s` seconds."""
    if not 0 <= duration.nanos <= 999_999_999:
        raise InvalidField(f"{field}.nanos", "must be from 0 to 999,999,999")
    if duration.seconds < 0 or duration.seconds + duration.nanos / 1e9 > high_s:
        raise InvalidField(field, f"must be from 0 to {high_s:,} seconds")


def check_utc_offset(field: str, offset: Duration) -> None:
    """Check an offset from UTC: -18 h to +18 h in whole minutes."""
    if offset.nanos or offset.seconds % 60 or abs(offset.seconds) > UTC_OFFSET_MAX_S:
        raise InvalidField(field, "must be from -18 h to +18 h in whole minutes")


def check_size(field: str, values: Sized, *, high: int, low: int = 0) -> None:
    """Check how many entries a repeated field or map has."""
    if not low <= len(values) <= high:
        limit = f"{low:,} to {high:,}" if low else f"at most {high:,}"
        raise InvalidField(field, f"must have {limit} entries, has {len(values):,}")
