import math

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import InvalidField
from serving.validation import (
    check_duration,
    check_id,
    check_language,
    check_number,
    check_text,
    check_time,
    check_utc_offset,
    count_or_default,
)


@given(st.text(max_size=300))
def test_an_id_is_accepted_exactly_if_it_keeps_to_the_contract(text: str) -> None:
    printable = not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    good = bool(text) and len(text.encode()) <= 256 and printable
    if good:
        check_id("id", text)
    else:
        with pytest.raises(InvalidField):
            check_id("id", text)


@given(st.text(max_size=60), st.integers(0, 60))
def test_a_text_is_measured_in_bytes(text: str, limit: int) -> None:
    if len(text.encode()) <= limit and "\x00" not in text:
        check_text("text", text, bytes_max=limit)
    else:
        with pytest.raises(InvalidField):
            check_text("text", text, bytes_max=limit)


@pytest.mark.parametrize(
    ("seconds", "nanos", "good"),
    [
        (0, 0, True),
        (-1, 0, False),
        (4_133_980_799, 999_999_999, True),
        (4_133_980_800, 0, False),
        (5, 1_000_000_000, False),
        (5, -1, False),
    ],
)
def test_times_are_of_the_years_1970_to_2100(seconds: int, nanos: int, good: bool) -> None:
    time = Timestamp(seconds=seconds, nanos=nanos)
    if good:
        check_time("time", time)
    else:
        with pytest.raises(InvalidField):
            check_time("time", time)


@pytest.mark.parametrize(
    ("seconds", "nanos", "good"),
    [
        (0, 0, True),
        (-64_800, 0, True),
        (64_800, 0, True),
        (64_860, 0, False),
        (30, 0, False),
        (60, 1, False),
    ],
)
def test_utc_offsets_are_whole_minutes(seconds: int, nanos: int, good: bool) -> None:
    offset = Duration(seconds=seconds, nanos=nanos)
    if good:
        check_utc_offset("offset", offset)
    else:
        with pytest.raises(InvalidField):
            check_utc_offset("offset", offset)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.5, -1.5])
def test_numbers_are_finite_and_within_their_range(value: float) -> None:
    check_number("n", 1.0, low=-1, high=1)
    with pytest.raises(InvalidField):
        check_number("n", value, low=-1, high=1)


def test_a_duration_may_be_as_long_as_the_limit_and_not_longer() -> None:
    check_duration("dwell", Duration(seconds=10), high_s=10)
    with pytest.raises(InvalidField, match="from 0 to 10 seconds"):
        check_duration("dwell", Duration(seconds=10, nanos=1), high_s=10)


@pytest.mark.parametrize("code", ["en", "zh-Hans", "zh-Hant-TW", "de-1996", ""])
def test_language_codes_are_accepted(code: str) -> None:
    check_language("language_code", code)


@pytest.mark.parametrize("code", ["e n", "en_US", "-en", "en-", "x" * 36, "英文"])
def test_what_is_no_language_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidField, match="BCP 47"):
        check_language("language_code", code)


def test_a_count_of_zero_is_the_default() -> None:
    assert count_or_default("count", 0, default=10, high=500) == 10
    assert count_or_default("count", 500, default=10, high=500) == 500
    with pytest.raises(InvalidField, match="count: must be from 1 to 500, is -3"):
        count_or_default("count", -3, default=10, high=500)
