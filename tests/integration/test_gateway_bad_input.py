"""Bad input of many kinds: each is refused with the field's name and its limit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import json_format

from tandem.v1 import error_reason_pb2
from tandem.v1.event_service_pb2 import RecordEventsRequest
from tandem.v1.event_service_pb2_grpc import EventServiceStub
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.recommender_service_pb2_grpc import RecommenderServiceStub
from tandem.v1.user_service_pb2 import PutUserProfileRequest
from tandem.v1.user_service_pb2_grpc import UserServiceStub
from tandem_client import reason_of
from tandem_client.channel import open_aio_channel
from tests.support.gateway import World, running_world

CONDITION = {"attribute": "brand", "operator": "OPERATOR_EQUAL", "values": [{"stringValue": "x"}]}


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"condition": CONDITION}
    for _ in range(depth - 1):
        node = {"not": node}
    return node


BAD_REQUESTS: list[tuple[dict[str, Any], str, str]] = [
    ({"itemCount": -1}, "item_count", "from 0 to 500, is -1"),
    ({"itemCount": 1_000_000_000}, "item_count", "from 0 to 500"),
    ({"itemCount": 501}, "item_count", "from 0 to 500, is 501"),
    ({"userId": "u" * 257}, "user_id", "at most 256 bytes, has 257"),
    ({"userId": "文" * 86}, "user_id", "at most 256 bytes, has 258"),
    ({"userId": "a\nb"}, "user_id", "control characters"),
    ({"text": "x" * 1_000_000}, "text", "at most 16,384 bytes, has 1,000,000"),
    ({"text": "a\x00b"}, "text", "NUL"),
    ({"excludedItemIds": ["x"] * 1_001}, "excluded_item_ids", "at most 1,000 entries, has 1,001"),
    ({"excludedItemIds": ["fine", ""]}, "excluded_item_ids[1]", "is required"),
    ({"excludedItemIds": ["\u0085"]}, "excluded_item_ids[0]", "control characters"),
    ({"variety": {"diversity": 1.5}}, "variety.diversity", "from 0 to 1"),
    ({"variety": {"diversity": "NaN"}}, "variety.diversity", "finite"),
    ({"variety": {"categoryMax": -1}}, "variety.category_max", "from 0 to 500"),
    ({"variety": {"brandMax": 501}}, "variety.brand_max", "from 0 to 500"),
    ({"variety": {"freshShare": -0.1}}, "variety.fresh_share", "from 0 to 1"),
    ({"variety": {"freshAge": "-1s"}}, "variety.fresh_age", "from 0 to 315,360,000"),
    ({"pins": [{"position": 1}]}, "pins[0].item_id", "is required"),
    ({"pins": [{"itemId": "a"}]}, "pins[0].position", "from 1 to 500, is 0"),
    (
        {"itemCount": 3, "pins": [{"itemId": "a", "position": 4}]},
        "pins[0].position",
        "from 1 to 3, is 4",
    ),
    (
        {"pins": [{"itemId": "a", "position": 1}, {"itemId": "a", "position": 2}]},
        "pins[1].item_id",
        "earlier pin",
    ),
    (
        {"pins": [{"itemId": "a", "position": 1}, {"itemId": "b", "position": 1}]},
        "pins[1].position",
        "earlier pin",
    ),
    ({"pins": [{"itemId": "a", "position": 1}] * 101}, "pins", "at most 100 entries"),
    ({"personalization": 9}, "personalization", "not a value of the contract"),
    (
        {"context": {"place": {"latitude": "NaN", "longitude": 0}}},
        "context.place.latitude",
        "finite",
    ),
    (
        {"context": {"place": {"latitude": 0, "longitude": "-Infinity"}}},
        "context.place.longitude",
        "finite",
    ),
    ({"context": {"place": {"latitude": 91}}}, "context.place.latitude", "from -90 to 90"),
    ({"context": {"place": {"longitude": 181}}}, "context.place.longitude", "from -180 to 180"),
    ({"context": {"requestTime": "9999-01-01T00:00:00Z"}}, "context.request_time", "1970 and 2100"),
    ({"context": {"requestTime": "1969-12-31T23:59:59Z"}}, "context.request_time", "1970 and 2100"),
    ({"context": {"utcOffset": "64801s"}}, "context.utc_offset", "-18 h to +18 h"),
    ({"context": {"utcOffset": "61s"}}, "context.utc_offset", "whole minutes"),
    ({"context": {"requestId": "r" * 129}}, "context.request_id", "at most 128 bytes"),
    ({"context": {"surface": "s" * 65}}, "context.surface", "at most 64 bytes"),
    ({"context": {"deviceType": "tv\t"}}, "context.device_type", "control characters"),
    ({"context": {"seedItemId": "s" * 300}}, "context.seed_item_id", "at most 256 bytes"),
    (
        {"context": {"experimentArms": {f"e{n}": "a" for n in range(33)}}},
        "context.experiment_arms",
        "at most 32 entries, has 33",
    ),
    (
        {"context": {"experimentArms": {"e": "a" * 65}}},
        "context.experiment_arms",
        "at most 64 bytes",
    ),
    ({"filter": {}}, "filter", "exactly one node"),
    ({"filter": nested(9)}, "filter", "at most 8 deep"),
    ({"filter": {"allOf": {"filters": []}}}, "filter.all_of", "1 to 32 entries, has 0"),
    (
        {"filter": {"anyOf": {"filters": [{"condition": CONDITION}] * 33}}},
        "filter.any_of",
        "1 to 32 entries, has 33",
    ),
    (
        {"filter": {"allOf": {"filters": [{"anyOf": {"filters": [nested(1)] * 31}}] * 3}}},
        "filter",
        "at most 64 nodes",
    ),
    (
        {"filter": {"condition": CONDITION | {"operator": 0}}},
        "filter.condition.operator",
        "not a value of the contract",
    ),
    (
        {"filter": {"condition": CONDITION | {"values": []}}},
        "filter.condition.values",
        "1 to 1 entries, has 0",
    ),
    (
        {"filter": {"condition": CONDITION | {"values": [{"doubleValue": "NaN"}]}}},
        "filter.condition.values.double_value",
        "finite",
    ),
    (
        {"filter": {"condition": CONDITION | {"values": [{}]}}},
        "filter.condition.values",
        "exactly one kind",
    ),
    (
        {"filter": {"condition": CONDITION | {"attribute": ""}}},
        "filter.condition.attribute",
        "is required",
    ),
]

EVENT = {"userId": "anna", "itemId": "a", "action": "ACTION_VIEW"}
BAD_EVENTS: list[tuple[dict[str, Any], str, str]] = [
    ({"events": []}, "events", "1 to 1,000 entries, has 0"),
    ({"events": [EVENT] * 1_001}, "events", "1 to 1,000 entries, has 1,001"),
    ({"events": [EVENT | {"userId": ""}]}, "events[0].user_id", "is required"),
    ({"events": [EVENT | {"itemId": "i" * 257}]}, "events[0].item_id", "at most 256 bytes"),
    ({"events": [EVENT | {"itemId": "a\x7f"}]}, "events[0].item_id", "control characters"),
    ({"events": [EVENT, EVENT | {"action": 0}]}, "events[1].action", "value of the contract"),
    ({"events": [EVENT | {"action": 99}]}, "events[0].action", "value of the contract"),
    ({"events": [EVENT | {"eventId": "e" * 129}]}, "events[0].event_id", "at most 128 bytes"),
    (
        {"events": [EVENT | {"eventTime": "9999-12-31T23:59:59Z"}]},
        "events[0].event_time",
        "1970 and 2100",
    ),
    ({"events": [EVENT | {"dwell": "-1s"}]}, "events[0].dwell", "from 0 to 2,592,000 seconds"),
    ({"events": [EVENT | {"dwell": "2592001s"}]}, "events[0].dwell", "from 0 to 2,592,000"),
    ({"events": [EVENT | {"rating": "NaN"}]}, "events[0].rating", "finite"),
    (
        {"events": [EVENT | {"place": {"latitude": -90.5}}]},
        "events[0].place.latitude",
        "from -90 to 90",
    ),
    ({"events": [EVENT | {"utcOffset": "90s"}]}, "events[0].utc_offset", "whole minutes"),
    ({"events": [EVENT | {"text": "x" * 65_537}]}, "events[0].text", "at most 65,536 bytes"),
    (
        {"events": [EVENT | {"attributionToken": "t" * 16_385}]},
        "events[0].attribution_token",
        "at most 16,384 bytes",
    ),
]

BAD_PROFILES: list[tuple[dict[str, Any], str, str]] = [
    ({"profile": {}}, "user_id", "is required"),
    ({"userId": "anna"}, "profile", "is required"),
    (
        {"userId": "anna", "profile": {"text": "x" * 16_385}},
        "profile.text",
        "at most 16,384 bytes",
    ),
    ({"userId": "anna", "profile": {"languageCode": "e n"}}, "profile.language_code", "BCP 47"),
    (
        {"userId": "anna", "profile": {"regionCode": "r" * 65}},
        "profile.region_code",
        "at most 64 bytes",
    ),
    ({"userId": "anna", "profile": {"group": "g" * 65}}, "profile.group", "at most 64 bytes"),
    (
        {"userId": "anna", "profile": {"interestTags": [{"tag": "a", "confidence": 2}]}},
        "profile.interest_tags[0].confidence",
        "from -1 to 1",
    ),
    (
        {"userId": "anna", "profile": {"interestTags": [{}]}},
        "profile.interest_tags[0].tag",
        "is required",
    ),
    (
        {"userId": "anna", "profile": {"interestTags": [{"tag": "t"}] * 257}},
        "profile.interest_tags",
        "at most 256 entries, has 257",
    ),
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        yield world


async def refused(call: Any, field: str, limit: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        await call
    error = raised.value
    assert isinstance(error, grpc.aio.AioRpcError)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
    reason, metadata = reason_of(error)
    assert reason == error_reason_pb2.ERROR_REASON_INVALID_FIELD
    assert metadata["field"] == field
    assert limit in metadata["problem"]


async def test_bad_requests_name_the_field_and_the_limit(world: World) -> None:
    channel = open_aio_channel(world.target)
    stub = RecommenderServiceStub(channel)
    for content, field, limit in BAD_REQUESTS:
        request = json_format.ParseDict(content, RecommendRequest())
        await refused(stub.Recommend(request), field, limit)
    # The gateway is as well as before.
    assert len((await stub.Recommend(RecommendRequest(user_id="anna"))).items) == 10
    await channel.close(None)


async def test_bad_events_name_the_field_and_the_limit_and_store_nothing(world: World) -> None:
    channel = open_aio_channel(world.target)
    stub = EventServiceStub(channel)
    for content, field, limit in BAD_EVENTS:
        request = json_format.ParseDict(content, RecordEventsRequest())
        await refused(stub.RecordEvents(request), field, limit)
    assert (await world.client.get_user_state("anna")).user.version == 0
    await channel.close(None)


async def test_bad_profiles_name_the_field_and_the_limit_and_store_nothing(world: World) -> None:
    channel = open_aio_channel(world.target)
    stub = UserServiceStub(channel)
    for content, field, limit in BAD_PROFILES:
        request = json_format.ParseDict(content, PutUserProfileRequest())
        await refused(stub.PutUserProfile(request), field, limit)
    assert (await world.client.get_user_state("anna")).user.version == 0
    await channel.close(None)


async def test_user_calls_need_a_user(world: World) -> None:
    await refused(world.client.get_user_state(""), "user_id", "is required")
    await refused(world.client.erase_user("u" * 257), "user_id", "at most 256 bytes")


async def test_bytes_that_are_no_message_are_refused(world: World) -> None:
    channel = open_aio_channel(world.target)
    for method in ("RecommenderService/Recommend", "UserService/EraseUser"):
        call = channel.unary_unary(f"/tandem.v1.{method}")
        await refused(call(b"\xff\xfe\xfd"), "request", "not a valid message")
        # A string field that is not UTF-8.
        await refused(call(b"\x0a\x02\xc3\x28"), "request", "not a valid message")
    await channel.close(None)


async def test_calls_over_the_limit_of_work_in_flight_are_refused_quickly(tmp_path: Path) -> None:
    # The server of the tests allows 256 at a time.
    async with running_world(tmp_path) as world:
        await world.activate("first")
        world.retrieval.delay_s = 1.0
        calls = [world.client.recommend("anna", timeout_s=5) for _ in range(400)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert len(answers) - len(errors) >= 256
    assert errors
    for error in errors:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_of(error)[0] == error_reason_pb2.ERROR_REASON_OVERLOADED
