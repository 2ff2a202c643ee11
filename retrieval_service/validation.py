"""Checks of requests for candidates, and the limits that GetInfo tells."""

from collections.abc import Mapping

from features.friends import ITEMS_MOST
from features.item_attributes import Type
from retrieval_service.catalogue.checks import BATCH_ITEMS_MAX, LOOKUP_IDS_MAX
from retrieval_service.filters.checks import DEPTH_MAX, NODES_MAX, check_filter
from serving.validation import (
    check_id,
    check_integer,
    check_label,
    check_number,
    check_place,
    check_size,
    check_text,
    check_time,
)
from tandem.v1.info_service_pb2 import Limit
from tandem.v1.retrieval_service_pb2 import RetrieveRequest
from tandem.v1.user_pb2 import UserState

CANDIDATES_MAX = 2_000
TEXT_BYTES_MAX = 16_384
TEXT_WEIGHT_MAX = 10
EXCLUDED_MAX = 1_000
HISTORY_MAX = 512
TAGS_MAX = 256
LIVE_COUNTS_MAX = 1_000
FRIENDS_ITEMS_MAX = ITEMS_MOST
LIMITS = [
    Limit(name="RetrieveRequest.candidate_count", value=CANDIDATES_MAX, unit="items"),
    Limit(name="RetrieveRequest.text", value=TEXT_BYTES_MAX, unit="bytes"),
    Limit(name="RetrieveRequest.excluded_item_ids", value=EXCLUDED_MAX, unit="items"),
    Limit(name="RetrieveRequest.user.history", value=HISTORY_MAX, unit="events"),
    Limit(name="RetrieveRequest.friends_items", value=FRIENDS_ITEMS_MAX, unit="items"),
    Limit(name="Filter.nodes", value=NODES_MAX, unit="nodes"),
    Limit(name="Filter.depth", value=DEPTH_MAX, unit="nodes"),
    Limit(name="UpsertItemsRequest.items", value=BATCH_ITEMS_MAX, unit="items"),
    Limit(name="BatchGetItemsRequest.item_ids", value=LOOKUP_IDS_MAX, unit="items"),
    Limit(name="DeleteItemsRequest.item_ids", value=LOOKUP_IDS_MAX, unit="items"),
]


def check_retrieve(request: RetrieveRequest, known: Mapping[str, Type]) -> None:
    """Check a request. Raises InvalidField."""
    check_label("context.seed_item_id", request.context.seed_item_id, bytes_max=256)
    if request.context.HasField("request_time"):
        check_time("context.request_time", request.context.request_time)
    if request.context.HasField("place"):
        check_place("context.place", request.context.place)
    check_text("text", request.text, bytes_max=TEXT_BYTES_MAX)
    check_number("text_weight", request.text_weight, low=0, high=TEXT_WEIGHT_MAX)
    check_size("excluded_item_ids", request.excluded_item_ids, high=EXCLUDED_MAX)
    check_size("live_counts", request.live_counts, high=LIVE_COUNTS_MAX)
    for place, count in enumerate(request.live_counts):
        check_number(f"live_counts[{place}].count", count.count, low=0)
    check_size("friends_items", request.friends_items, high=FRIENDS_ITEMS_MAX)
    for place, used in enumerate(request.friends_items):
        check_id(f"friends_items[{place}].item_id", used.item_id)
        check_number(f"friends_items[{place}].count", used.count, low=0)
    _check_user(request.user)
    if request.HasField("filter"):
        check_filter("filter", request.filter, known)
    check_integer("candidate_count", request.candidate_count, low=0, high=CANDIDATES_MAX)


def _check_user(user: UserState) -> None:
    check_text("user.profile.text", user.profile.text, bytes_max=TEXT_BYTES_MAX)
    check_size("user.profile.interest_tags", user.profile.interest_tags, high=TAGS_MAX)
    for place, interest in enumerate(user.profile.interest_tags):
        check_text(f"user.profile.interest_tags[{place}].tag", interest.tag, bytes_max=256)
    check_size("user.history", user.history, high=HISTORY_MAX)
    for place, event in enumerate(user.history):
        check_id(f"user.history[{place}].item_id", event.item_id)
