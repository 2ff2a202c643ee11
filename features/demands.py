"""What words demand of attributes: "from the 90s", "under 20 dollars", "in French" """

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Operator
from tandem.v1.item_pb2 import AttributeValue

_LESS, _MOST = filter_pb2.OPERATOR_LESS, filter_pb2.OPERATOR_LESS_OR_EQUAL
_MORE, _LEAST = filter_pb2.OPERATOR_GREATER, filter_pb2.OPERATOR_GREATER_OR_EQUAL
# Attributes by what is demanded; of several that a catalogue has, the first is meant.
YEARS = ("year", "release_year", "publication_year")
PRICES = ("price",)
MINUTES = ("duration_minutes", "runtime_minutes", "minutes")
LANGUAGES = {
    **{"english": "en", "french": "fr", "german": "de", "spanish": "es", "italian": "it"},
    **{"chinese": "zh", "mandarin": "zh", "japanese": "ja", "korean": "ko", "russian": "ru"},
    **{"portuguese": "pt", "hindi": "hi", "arabic": "ar", "英文": "en", "英语": "en"},
    **{"中文": "zh", "国语": "zh", "日语": "ja", "韩语": "ko", "法语": "fr", "德语": "de"},
}
_YEAR = r"(?P<year>(?:18|19|20)\d\d)"
_NUMBER = r"(?P<number>\d{1,7}(?:\.\d{1,2})?)"
_AT_MOST = r"(?:under|below|less than|at most|up to|no more than)"
_COIN = r"[$€£¥]|dollars?\b|bucks\b|euros?\b|pounds?\b|yuan\b|rmb\b|元|块"
# What a two-digit decade is of: the 30s are over, the 20s are now.
_TURN = 30


@dataclass(frozen=True)
class Bound:
    """A bound on one of some attributes, as AttributeValue's kinds of number compare with it."""

    attributes: Sequence[str]
    operator: Operator.ValueType
    value: float


def _decade(found: re.Match[str]) -> Iterator[Bound]:
    digits = found["decade"]
    short = int(digits[-2:])
    first = int(digits) if len(digits) == 4 else (1900 if short >= _TURN else 2000) + short
    yield Bound(YEARS, _LEAST, first)
    yield Bound(YEARS, _LESS, first + 10)


def _between(found: re.Match[str]) -> Iterator[Bound]:
    yield Bound(YEARS, _LEAST, int(found["year"]))
    yield Bound(YEARS, _MOST, int(found["last"]))


def _of_year(*operators: Operator.ValueType) -> Callable[[re.Match[str]], Iterator[Bound]]:
    return lambda found: (Bound(YEARS, operator, int(found["year"])) for operator in operators)


def _at_most(
    attributes: Sequence[str], unit: float = 1.0
) -> Callable[[re.Match[str]], Iterator[Bound]]:
    return lambda found: iter([Bound(attributes, _MOST, unit * float(found["number"]))])


_SHAPES: Sequence[tuple[str, Callable[[re.Match[str]], Iterator[Bound]]]] = (
    (r"(?:\bthe\s+['’]?|['’])(?P<decade>\d0)['’]?s\b", _decade),
    (r"\b(?P<decade>(?:18|19|20)\d0)['’]?s\b", _decade),
    (r"(?<!\d)(?P<decade>\d0|(?:19|20)\d0)年代", _decade),
    (rf"\b(?:between|from)\s+{_YEAR}\s+(?:and|to|until)\s+(?P<last>(?:18|19|20)\d\d)\b", _between),
    (rf"\b(?:before|older than)\s+{_YEAR}\b", _of_year(_LESS)),
    (rf"\b(?:after|newer than|later than)\s+{_YEAR}\b", _of_year(_MORE)),
    (rf"\bsince\s+{_YEAR}\b", _of_year(_LEAST)),
    (rf"\b(?:from|in|of)\s+{_YEAR}\b(?!\s*(?:to|and|until|-)\s*\d)", _of_year(_LEAST, _MOST)),
    (rf"{_YEAR}年(?:以前|之前|前)", _of_year(_LESS)),
    (rf"{_YEAR}年(?:以后|之后|后|以来)", _of_year(_LEAST)),
    (rf"{_YEAR}年的", _of_year(_LEAST, _MOST)),
    (rf"\b(?:{_AT_MOST}|cheaper than)\s*[$€£¥]\s*{_NUMBER}", _at_most(PRICES)),
    (rf"\b(?:{_AT_MOST}|cheaper than)\s*{_NUMBER}\s*(?:{_COIN})", _at_most(PRICES)),
    (rf"{_NUMBER}\s*(?:元|块)(?:以下|以内)", _at_most(PRICES)),
    (rf"\b(?:{_AT_MOST}|shorter than|no longer than)\s*{_NUMBER}\s*min", _at_most(MINUTES)),
    (
        rf"\b(?:{_AT_MOST}|shorter than|no longer than)\s*{_NUMBER}\s*h(?:ours?|rs?)?\b",
        _at_most(MINUTES, 60.0),
    ),
    (rf"{_NUMBER}\s*分钟(?:以下|以内)", _at_most(MINUTES)),
)
_PATTERNS = [(re.compile(shape, re.IGNORECASE), read) for shape, read in _SHAPES]
_LANGUAGE = re.compile(
    r"\bin\s+(?P<english>[a-z]+)\b|(?P<chinese>英文|英语|中文|国语|日语|韩语|法语|德语)(?:的|版|片)",
    re.IGNORECASE,
)


def read_demands(
    text: str, attributes: Mapping[str, str], languages: Iterable[str]
) -> list[Condition]:
    """Return what a text demands, in English or Chinese, of the attributes that a catalogue has.

    attributes: type by name; int64 and double are bounded. languages: the codes of the catalogue's
    items; a language is demanded only where there are several.
    """
    bounds = {
        bound: None
        for pattern, read in _PATTERNS
        for found in pattern.finditer(text)
        for bound in read(found)
    }
    conditions = [
        Condition(attribute=name, operator=bound.operator, values=[value])
        for bound in bounds
        for name in [next((a for a in bound.attributes if a in attributes), "")]
        if (value := _value(bound.value, attributes.get(name, ""))) is not None
    ]
    return conditions + _languages(text, sorted(languages))


def _value(number: float, kind: str) -> AttributeValue | None:
    if kind == "int64":
        return AttributeValue(int64_value=int(number))
    return AttributeValue(double_value=number) if kind == "double" else None


def _languages(text: str, known: Sequence[str]) -> list[Condition]:
    named = [found["english"] or found["chinese"] for found in _LANGUAGE.finditer(text)]
    codes = {LANGUAGES[name.lower()] for name in named if name.lower() in LANGUAGES}
    wanted = [code for code in known if code.split("-")[0].lower() in codes]
    if not wanted or len(known) < 2:
        return []
    return [
        Condition(
            attribute="language_code",
            operator=filter_pb2.OPERATOR_IN,
            values=[AttributeValue(string_value=code) for code in wanted],
        )
    ]
