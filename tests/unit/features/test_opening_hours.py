"""Opening hours: whether a place may be open at a minute of the week."""

import pytest

from features.opening_hours import may_be_open, read_hours
from sample_world.domains.home import HOME
from tandem.v1.item_pb2 import Item

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def at(day: str, hour: int, minute: int = 0) -> int:
    return DAYS.index(day) * 1_440 + hour * 60 + minute


def place(hours: str) -> Item:
    item = Item(item_id="place")
    item.attributes["opening_hours"].string_value = hours
    return item


@pytest.mark.parametrize(
    ("hours", "minute", "is_open"),
    [
        ("Mo-Fr 07:00-18:00", at("Mo", 7), True),
        ("Mo-Fr 07:00-18:00", at("Mo", 18), False),
        ("Mo-Fr 07:00-18:00", at("Sa", 12), False),
        ("Mo-Fr 07:00-18:00; Sa-Su 08:00-15:00", at("Su", 14, 59), True),
        ("Mo-Su 17:00-03:00", at("Tu", 2), True),
        ("Fr-Sa 17:00-03:00", at("Su", 2), True),
        ("Su 19:00-04:00", at("Mo", 3, 59), True),
        ("Su 19:00-04:00", at("Mo", 4), False),
        ("Fr-Mo 10:00-12:00", at("Su", 11), True),
        ("Fr-Mo 10:00-12:00", at("We", 11), False),
        ("Mo,We,Fr 09:00-12:00,14:00-18:00", at("We", 13), False),
        ("Mo,We,Fr 09:00-12:00,14:00-18:00", at("We", 14), True),
        ("Mo-Su 09:00-18:00; We off", at("We", 10), False),
        ("08:00-20:00", at("Su", 19), True),
        ("24/7", at("Su", 23, 59), True),
        ("Mo 00:00-24:00", at("Mo", 23, 59), True),
        ("Mo 00:00-24:00", at("Tu", 0), False),
    ],
)
def test_hours_are_read(hours: str, minute: int, is_open: bool) -> None:
    assert may_be_open(place(hours), minute) is is_open


@pytest.mark.parametrize("hours", ["", "by appointment", "sunrise-sunset", "Mo-Fr", "Mo 7-18"])
def test_what_cannot_be_read_closes_nothing(hours: str) -> None:
    assert read_hours(hours) is None
    assert may_be_open(place(hours), 0)
    assert may_be_open(Item(item_id="film"), 0)


def test_the_sample_worlds_hours_can_all_be_read() -> None:
    written = [hours for category in HOME.categories for hours in category.opening]
    assert written
    assert all(read_hours(hours) for hours in written)
