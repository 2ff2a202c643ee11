"""Checks of items that callers send: the bounds that the contract names."""

import re

from google.protobuf.timestamp_pb2 import Timestamp

from retrieval_service.catalogue.images import check_images
from retrieval_service.catalogue.media import check_vectors
from serving.errors import InvalidField
from serving.validation import (
    TIME_END_S,
    check_id,
    check_integer,
    check_label,
    check_language,
    check_number,
    check_place,
    check_size,
    check_text,
)
from tandem.v1.catalog_service_pb2 import UpsertItemsRequest
from tandem.v1.item_pb2 import AttributeValue, Item

BATCH_ITEMS_MAX = 500
LOOKUP_IDS_MAX = 1_000
UPSERT_ID_BYTES_MAX = 128
# Kept free at the ends of both ranges, where the indexes mark what an item does not have.
INT64_LEAST = -(2**63) + 1
DOUBLE_MOST = 1e300
YEAR_1_S = -62_135_596_800
BUILT_IN = frozenset(
    {"categories", "tags", "brand", "language_code", "create_time", "latitude", "longitude"}
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def check_batch(request: UpsertItemsRequest) -> None:
    """Check one batch of an upsert."""
    check_label("upsert_id", request.upsert_id, bytes_max=UPSERT_ID_BYTES_MAX)
    if request.upsert_id and request.batch_number < 1:
        raise InvalidField("batch_number", "must be 1 or more where upsert_id is given")
    check_size("items", request.items, low=1, high=BATCH_ITEMS_MAX)
    for index, item in enumerate(request.items):
        try:
            check_item(f"items[{index}]", item)
        except InvalidField as error:
            problem = f"{error.problem} (item {item.item_id[:256]!r})"
            raise InvalidField(error.field, problem) from None


def check_item(field: str, item: Item) -> None:
    """Check one item."""
    check_id(f"{field}.item_id", item.item_id)
    check_text(f"{field}.title", item.title, bytes_max=1_024)
    check_text(f"{field}.description", item.description, bytes_max=65_536)
    check_size(f"{field}.categories", item.categories, high=32)
    for category in item.categories:
        check_text(f"{field}.categories", category, bytes_max=256)
    check_size(f"{field}.tags", item.tags, high=64)
    for tag in item.tags:
        check_text(f"{field}.tags", tag, bytes_max=256)
    check_text(f"{field}.brand", item.brand, bytes_max=256)
    check_language(f"{field}.language_code", item.language_code)
    if item.HasField("create_time"):
        _check_create_time(f"{field}.create_time", item.create_time)
    if item.HasField("place"):
        check_place(f"{field}.place", item.place)
    check_size(f"{field}.attributes", item.attributes, high=64)
    for name, value in item.attributes.items():
        if not _NAME.fullmatch(name):
            raise InvalidField(
                f"{field}.attributes", f"name {name[:80]!r} must match {_NAME.pattern}"
            )
        if name in BUILT_IN:
            raise InvalidField(f"{field}.attributes", f"name {name!r} is that of a field of Item")
        check_value(f"{field}.attributes[{name}]", value)
    check_vectors(f"{field}.vectors", item)
    check_images(f"{field}.images", item)


def check_value(field: str, value: AttributeValue) -> None:
    """Check the value of an attribute."""
    match value.WhichOneof("kind"):
        case "string_value":
            check_text(field, value.string_value, bytes_max=1_024)
        case "int64_value":
            check_integer(field, value.int64_value, low=INT64_LEAST, high=2**63 - 1)
        case "double_value":
            check_number(field, value.double_value, low=-DOUBLE_MOST, high=DOUBLE_MOST)
        case "bool_value":
            pass
        case _:
            raise InvalidField(field, "must have a value")


def _check_create_time(field: str, time: Timestamp) -> None:
    """Check a time: works are older than computers, so earlier ones than elsewhere are allowed."""
    if not YEAR_1_S <= time.seconds < TIME_END_S:
        raise InvalidField(field, "must be between the years 1 and 2100")
    check_integer(f"{field}.nanos", time.nanos, low=0, high=999_999_999)
