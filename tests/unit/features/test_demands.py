"""What words demand of attributes."""

import pytest

from features.demands import read_demands
from tandem.v1 import filter_pb2

ATTRIBUTES = {"year": "int64", "price": "double", "runtime_minutes": "int64", "mood": "int64"}
SIGNS = {
    filter_pb2.OPERATOR_LESS: "<",
    filter_pb2.OPERATOR_LESS_OR_EQUAL: "<=",
    filter_pb2.OPERATOR_GREATER: ">",
    filter_pb2.OPERATOR_GREATER_OR_EQUAL: ">=",
}


def demanded(text: str) -> list[str]:
    return [
        f"{c.attribute} {SIGNS[c.operator]} {c.values[0].int64_value or c.values[0].double_value:g}"
        for c in read_demands(text, ATTRIBUTES, ["en"])
    ]


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("something from the 90s", ["year >= 1990", "year < 2000"]),
        ("the '20s", ["year >= 2020", "year < 2030"]),
        ("2010s comedies", ["year >= 2010", "year < 2020"]),
        ("80年代的电影", ["year >= 1980", "year < 1990"]),
        ("between 1970 and 1979", ["year >= 1970", "year <= 1979"]),
        ("from 1970 to 1979", ["year >= 1970", "year <= 1979"]),
        ("older than 1960 please", ["year < 1960"]),
        ("since 2015", ["year >= 2015"]),
        ("2015年以后的", ["year >= 2015"]),
        ("a film from 1999", ["year >= 1999", "year <= 1999"]),
        ("a gift under $25", ["price <= 25"]),
        ("cheaper than 30.50 euros", ["price <= 30.5"]),
        ("100元以内的礼物", ["price <= 100"]),
        ("no more than 90 minutes", ["runtime_minutes <= 90"]),
        ("under 2 hours", ["runtime_minutes <= 120"]),
    ],
)
def test_bounds_are_read(text: str, demands: list[str]) -> None:
    assert demanded(text) == demands


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2001: A Space Odyssey",
        "a man in his 30s",
        "under 20",
        "seven samurai",
        "top 1000 books before I die",
        "blade runner 2049",
        "price 20",
    ],
)
def test_what_demands_nothing_is_left_alone(text: str) -> None:
    assert demanded(text) == []


def test_only_attributes_that_the_catalogue_has_are_bounded() -> None:
    assert read_demands("from the 90s under $5", {"price": "string"}, []) == []


def test_a_language_is_demanded_only_where_there_are_several() -> None:
    (demand,) = read_demands("a comedy in French", {}, ["en", "fr-CA", "fr"])
    assert [value.string_value for value in demand.values] == ["fr", "fr-CA"]
    assert demand.attribute == "language_code"
    (chinese,) = read_demands("中文的书", {}, ["en", "zh"])
    assert [value.string_value for value in chinese.values] == ["zh"]
    assert read_demands("a comedy in French", {}, ["fr"]) == []
    assert read_demands("a comedy in Paris", {}, ["en", "fr"]) == []
