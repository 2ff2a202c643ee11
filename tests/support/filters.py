"""Hypothesis strategies for items and filters on them."""

from hypothesis import strategies as st

from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter, FilterList
from tandem.v1.item_pb2 import AttributeValue, Item

SCHEMA = {"colour": "string", "pages": "int64", "price": "double", "used": "bool"}
# Few values, so that filters meet items; among them what has a meaning in some syntax.
STRINGS = [
    *["", "a", "b", "A", 'a"', "a'", "a\\", 'a" or item_id != "', "a\n"],
    *["%", "中文", "\x01", "=", "a\u2028", "\\n"],
]
INTEGERS = [-(2**63) + 1, -1, 0, 1, 7, 2**63 - 1]
DOUBLES = [-1e300, -1.5, -0.0, 0.0, 5e-324, 0.1, 3.0, 1e300]
SECONDS = [-62_135_596_800, -1, 0, 1, 1_600_000_000]
EQUALITY = [
    filter_pb2.OPERATOR_EQUAL,
    filter_pb2.OPERATOR_NOT_EQUAL,
    filter_pb2.OPERATOR_IN,
    filter_pb2.OPERATOR_NOT_IN,
]
ORDER = [
    filter_pb2.OPERATOR_LESS,
    filter_pb2.OPERATOR_LESS_OR_EQUAL,
    filter_pb2.OPERATOR_GREATER,
    filter_pb2.OPERATOR_GREATER_OR_EQUAL,
]
SINGLE = [*EQUALITY[:2], *ORDER]

strings = st.sampled_from(STRINGS) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5
)
VALUES = {
    "colour": strings.map(lambda v: AttributeValue(string_value=v)),
    "pages": st.sampled_from(INTEGERS).map(lambda v: AttributeValue(int64_value=v)),
    "price": st.sampled_from(DOUBLES).map(lambda v: AttributeValue(double_value=v)),
    "used": st.booleans().map(lambda v: AttributeValue(bool_value=v)),
}
FILTER_VALUES = {
    **VALUES,
    "categories": VALUES["colour"],
    "tags": VALUES["colour"],
    "brand": VALUES["colour"],
    "language_code": st.sampled_from(["en", "zh", ""]).map(
        lambda v: AttributeValue(string_value=v)
    ),
    "create_time": st.sampled_from(SECONDS).map(lambda v: AttributeValue(int64_value=v)),
    "latitude": VALUES["price"],
    "longitude": VALUES["price"],
}


@st.composite
def items(draw: st.DrawFn, item_id: str) -> Item:
    """Return an item that has some of the attributes."""
    item = Item(
        item_id=item_id,
        categories=draw(st.lists(strings, max_size=6)),
        tags=draw(st.lists(strings, max_size=10)),
        brand=draw(strings),
        language_code=draw(st.sampled_from(["", "en", "zh"])),
    )
    if draw(st.booleans()):
        item.create_time.FromSeconds(draw(st.sampled_from(SECONDS)))
    if draw(st.booleans()):
        item.place.latitude = draw(st.sampled_from([-90.0, -0.0, 0.1, 3.0]))
        item.place.longitude = draw(st.sampled_from([-1.5, 0.0, 180.0]))
    for name, values in VALUES.items():
        if draw(st.booleans()):
            item.attributes[name].CopyFrom(draw(values))
    return item


@st.composite
def conditions(draw: st.DrawFn) -> Filter:
    """Return a filter of one condition."""
    attribute = draw(st.sampled_from(sorted(FILTER_VALUES)))
    ordered = attribute not in {"categories", "tags", "used"}
    operator = draw(st.sampled_from([*EQUALITY, *ORDER] if ordered else EQUALITY))
    most = 1 if operator in SINGLE else 4
    values = draw(st.lists(FILTER_VALUES[attribute], min_size=1, max_size=most))
    return Filter(condition=Condition(attribute=attribute, operator=operator, values=values))


def _joined(children: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    lists = st.lists(children, min_size=1, max_size=3).map(lambda c: FilterList(filters=c))
    return (
        lists.map(lambda f: Filter(all_of=f))
        | lists.map(lambda f: Filter(any_of=f))
        | children.map(lambda f: Filter(**{"not": f}))
    )


filters = st.recursive(conditions(), _joined, max_leaves=6)
