"""Checks of what callers send: the bounds that the contracts name."""

from features.friends import FRIENDS_KEPT, WEIGHT_MOST
from features.variety import check_variety
from serving.errors import InvalidField
from serving.validation import (
    check_duration,
    check_id,
    check_integer,
    check_label,
    check_language,
    check_number,
    check_place,
    check_size,
    check_text,
    check_time,
    check_utc_offset,
)
from tandem.v1 import context_pb2, event_pb2, filter_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.event_service_pb2 import RecordEventsRequest
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.info_service_pb2 import Limit
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.user_pb2 import UserProfile
from tandem.v1.user_service_pb2 import PutFriendsRequest, PutUserProfileRequest
from tandem_client.channel import MESSAGE_BYTES_MAX

ITEM_COUNT_MAX = 500
TEXT_BYTES_MAX = 16_384
TEXT_WEIGHT_MAX = 10
EXPLORATION_MAX = 0.5
EXCLUDED_MAX = 1_000
PINS_MAX = 100
EVENTS_MAX = 1_000
EVENT_TEXT_BYTES_MAX = 65_536
LABEL_BYTES_MAX = 64
ID_BYTES_MAX = 128
TOKEN_BYTES_MAX = 16_384
ARMS_MAX = 32
TAGS_MAX = 256
DWELL_MAX_S = 30 * 86_400
CANDIDATES_MAX = 2_000
FILTER_NODES_MAX = 64
FILTER_DEPTH_MAX = 8
FILTER_LIST_MAX = 32
FILTER_VALUES_MAX = 256
FILTER_TEXT_BYTES_MAX = 1_024
_ACTIONS = frozenset(event_pb2.Action.values()) - {event_pb2.ACTION_UNSPECIFIED}
_OPERATORS = frozenset(filter_pb2.Operator.values()) - {filter_pb2.OPERATOR_UNSPECIFIED}

LIMITS = (
    Limit(name="RecommendRequest.item_count", value=ITEM_COUNT_MAX, unit="items"),
    Limit(name="RecommendRequest.text", value=TEXT_BYTES_MAX, unit="bytes"),
    Limit(name="RecommendRequest.text_weight", value=TEXT_WEIGHT_MAX, unit=""),
    Limit(name="RecommendRequest.excluded_item_ids", value=EXCLUDED_MAX, unit="items"),
    Limit(name="RecommendRequest.pins", value=PINS_MAX, unit="items"),
    Limit(name="RecordEventsRequest.events", value=EVENTS_MAX, unit="events"),
    Limit(name="Event.text", value=EVENT_TEXT_BYTES_MAX, unit="bytes"),
    Limit(name="UserProfile.text", value=TEXT_BYTES_MAX, unit="bytes"),
    Limit(name="UserProfile.interest_tags", value=TAGS_MAX, unit="tags"),
    Limit(name="PutFriendsRequest.friends", value=FRIENDS_KEPT, unit="friends"),
    Limit(name="message", value=MESSAGE_BYTES_MAX, unit="bytes"),
)


def check_recommend(request: RecommendRequest) -> None:
    """Check a request for a list."""
    check_label("user_id", request.user_id, bytes_max=256)
    check_context(request.context)
    check_integer("item_count", request.item_count, low=0, high=ITEM_COUNT_MAX)
    check_text("text", request.text, bytes_max=TEXT_BYTES_MAX)
    check_number("text_weight", request.text_weight, low=0, high=TEXT_WEIGHT_MAX)
    check_filter(request)
    check_number("exploration_share", request.exploration_share, low=0, high=EXPLORATION_MAX)
    check_size("excluded_item_ids", request.excluded_item_ids, high=EXCLUDED_MAX)
    for index, item_id in enumerate(request.excluded_item_ids):
        check_id(f"excluded_item_ids[{index}]", item_id)
    if request.personalization not in context_pb2.Personalization.values():
        raise InvalidField("personalization", "is not a value of the contract")
    check_variety(request.variety)
    check_pins(request)


def check_pins(request: RecommendRequest) -> None:
    """Check which items stand where."""
    check_size("pins", request.pins, high=PINS_MAX)
    seen: set[str | int] = set()
    for index, pin in enumerate(request.pins):
        check_id(f"pins[{index}].item_id", pin.item_id)
        high = request.item_count or ITEM_COUNT_MAX
        check_integer(f"pins[{index}].position", pin.position, low=1, high=high)
        for field, value in (("item_id", pin.item_id), ("position", pin.position)):
            if value in seen:
                raise InvalidField(f"pins[{index}].{field}", "is that of an earlier pin")
            seen.add(value)


def check_context(context: RequestContext) -> None:
    """Check the situation of a request."""
    check_label("context.request_id", context.request_id, bytes_max=ID_BYTES_MAX)
    check_label("context.surface", context.surface, bytes_max=LABEL_BYTES_MAX)
    check_label("context.seed_item_id", context.seed_item_id, bytes_max=256)
    check_label("context.device_type", context.device_type, bytes_max=LABEL_BYTES_MAX)
    if context.HasField("request_time"):
        check_time("context.request_time", context.request_time)
    if context.HasField("utc_offset"):
        check_utc_offset("context.utc_offset", context.utc_offset)
    if context.HasField("place"):
        check_place("context.place", context.place)
    check_size("context.experiment_arms", context.experiment_arms, high=ARMS_MAX)
    for experiment, arm in context.experiment_arms.items():
        check_label("context.experiment_arms", experiment, bytes_max=LABEL_BYTES_MAX)
        check_label("context.experiment_arms", arm, bytes_max=LABEL_BYTES_MAX)


def check_filter(request: RecommendRequest) -> None:
    """Check a filter's shape. Whether its attributes exist, the catalogue knows."""
    if not request.HasField("filter"):
        return
    nodes = 0

    def visit(node: Filter, depth: int) -> None:
        nonlocal nodes
        nodes += 1
        if nodes > FILTER_NODES_MAX:
            raise InvalidField("filter", f"must have at most {FILTER_NODES_MAX} nodes")
        if depth > FILTER_DEPTH_MAX:
            raise InvalidField("filter", f"must be at most {FILTER_DEPTH_MAX} deep")
        match node.WhichOneof("node"):
            case "condition":
                _check_condition(node.condition)
            case "not":
                visit(getattr(node, "not"), depth + 1)
            case "all_of" | "any_of" as name:
                members = getattr(node, name).filters
                check_size(f"filter.{name}", members, low=1, high=FILTER_LIST_MAX)
                for member in members:
                    visit(member, depth + 1)
            case _:
                raise InvalidField("filter", "must set exactly one node")

    visit(request.filter, 1)


def _check_condition(condition: Condition) -> None:
    check_id("filter.condition.attribute", condition.attribute)
    operator = condition.operator
    if operator not in _OPERATORS:
        raise InvalidField("filter.condition.operator", "is not a value of the contract")
    many = operator in (filter_pb2.OPERATOR_IN, filter_pb2.OPERATOR_NOT_IN)
    high = FILTER_VALUES_MAX if many else 1
    check_size("filter.condition.values", condition.values, low=1, high=high)
    for value in condition.values:
        match value.WhichOneof("kind"):
            case "string_value":
                field = "filter.condition.values.string_value"
                check_text(field, value.string_value, bytes_max=FILTER_TEXT_BYTES_MAX)
            case "double_value":
                check_number("filter.condition.values.double_value", value.double_value)
            case None:
                raise InvalidField("filter.condition.values", "must set exactly one kind")


def check_record_events(request: RecordEventsRequest) -> None:
    """Check a call's events."""
    check_size("events", request.events, low=1, high=EVENTS_MAX)
    for index, event in enumerate(request.events):
        try:
            check_event(event)
        except InvalidField as error:
            raise InvalidField(f"events[{index}].{error.field}", error.problem) from None


def check_event(event: Event) -> None:
    """Check one event."""
    check_id("user_id", event.user_id)
    check_id("item_id", event.item_id)
    check_label("event_id", event.event_id, bytes_max=ID_BYTES_MAX)
    if event.action not in _ACTIONS:
        raise InvalidField("action", "is required and must be a value of the contract")
    if event.HasField("event_time"):
        check_time("event_time", event.event_time)
    if event.HasField("dwell"):
        check_duration("dwell", event.dwell, high_s=DWELL_MAX_S)
    if event.HasField("rating"):
        check_number("rating", event.rating)
    if event.HasField("place"):
        check_place("place", event.place)
    if event.HasField("utc_offset"):
        check_utc_offset("utc_offset", event.utc_offset)
    check_text("text", event.text, bytes_max=EVENT_TEXT_BYTES_MAX)
    check_label("attribution_token", event.attribution_token, bytes_max=TOKEN_BYTES_MAX)


def check_put_profile(request: PutUserProfileRequest) -> None:
    """Check a user's profile."""
    check_id("user_id", request.user_id)
    if not request.HasField("profile"):
        raise InvalidField("profile", "is required")
    check_profile(request.profile)


def check_profile(profile: UserProfile) -> None:
    """Check what a profile says."""
    check_text("profile.text", profile.text, bytes_max=TEXT_BYTES_MAX)
    check_language("profile.language_code", profile.language_code)
    if profile.HasField("said_time"):
        check_time("profile.said_time", profile.said_time)
    if profile.birth_year:
        check_integer("profile.birth_year", profile.birth_year, low=1900, high=2100)
    check_label("profile.region_code", profile.region_code, bytes_max=LABEL_BYTES_MAX)
    check_label("profile.group", profile.group, bytes_max=LABEL_BYTES_MAX)
    check_size("profile.interest_tags", profile.interest_tags, high=TAGS_MAX)
    for index, tag in enumerate(profile.interest_tags):
        check_id(f"profile.interest_tags[{index}].tag", tag.tag)
        check_number(f"profile.interest_tags[{index}].confidence", tag.confidence, low=-1, high=1)


def check_put_friends(request: PutFriendsRequest) -> None:
    """Check a user's list of friends."""
    check_id("user_id", request.user_id)
    check_size("friends", request.friends, high=FRIENDS_KEPT)
    known = {request.user_id: "is the user"}
    for index, friend in enumerate(request.friends):
        field = f"friends[{index}].user_id"
        check_id(field, friend.user_id)
        if friend.user_id in known:
            raise InvalidField(field, known[friend.user_id])
        known[friend.user_id] = "is that of an earlier friend"
        check_number(f"friends[{index}].weight", friend.weight, low=0, high=WEIGHT_MOST)
