"""Opening hours as places write them: "Mo-Fr 07:00-18:00; Sa 08:00-14:00,15:00-17:00"."""

import re
from functools import lru_cache

from tandem.v1.item_pb2 import Item

ATTRIBUTE = "opening_hours"
MINUTES_PER_DAY = 24 * 60
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_RULE = re.compile(
    r"^(?P<days>(?:mo|tu|we|th|fr|sa|su)(?:\s*[-,]\s*(?:mo|tu|we|th|fr|sa|su))*)?\s*"
    r"(?P<hours>\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}(?:\s*,\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2})*"
    r"|off|closed)$"
)
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def may_be_open(item: Item, minute: int) -> bool:
    """Tell whether an item may be open at a minute of the local week, 0 being Monday 00:00.

    True where it has no opening hours, or hours that cannot be read: nobody says that it is closed.
    """
    if ATTRIBUTE not in item.attributes:
        return True
    spans = read_hours(item.attributes[ATTRIBUTE].string_value)
    return spans is None or any(
        start <= minute < end or start <= minute + MINUTES_PER_WEEK < end for start, end in spans
    )


@lru_cache(maxsize=65_536)
def read_hours(text: str) -> tuple[tuple[int, int], ...] | None:
    """Return spans of minutes of the week, each from its start to before its end; None if unread.

    The common part of OpenStreetMap's `opening_hours`: days and ranges of days, several hours a
    day, hours past midnight, `24/7` and `off`. A later rule replaces an earlier one for its days.
    """
    text = text.strip().lower()
    if text == "24/7":
        return ((0, MINUTES_PER_WEEK),)
    by_day: dict[int, list[tuple[int, int]]] = {}
    for rule in text.split(";"):
        found = _RULE.match(rule.strip())
        if found is None:
            return None
        hours = [_minutes(*span) for span in _SPAN.findall(found["hours"])]
        for day in _days(found["days"] or "mo-su"):
            by_day[day] = hours
    return tuple(
        (day * MINUTES_PER_DAY + start, day * MINUTES_PER_DAY + end)
        for day, hours in sorted(by_day.items())
        for start, end in hours
    )


def _days(text: str) -> list[int]:
    """Return days from 0 for Monday; "fr-mo" goes over the weekend."""
    days = []
    for part in text.split(","):
        names = [name.strip() for name in part.split("-")]
        first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
        days += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
    return days


def _minutes(hour: str, minute: str, end_hour: str, end_minute: str) -> tuple[int, int]:
    """Return start and end in minutes of the day; an end before the start is on the next day."""
    start, end = int(hour) * 60 + int(minute), int(end_hour) * 60 + int(end_minute)
    return start, end if end > start else end + MINUTES_PER_DAY
