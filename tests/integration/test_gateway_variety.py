"""Limits and pinned items in lists of a real gateway."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from serving.errors import DependencyUnavailable
from tandem.v1 import candidate_pb2, event_pb2, filter_pb2, stage_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tandem.v1.user_pb2 import UserProfile
from tandem.v1.variety_pb2 import Pin, Variety
from tests.support.gateway import World, running_world

NOW_S = 1_700_000_000
EVEN = Filter(
    condition=Condition(
        attribute="categories",
        operator=filter_pb2.OPERATOR_EQUAL,
        values=[AttributeValue(string_value="even")],
    )
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first")
        yield world


def ids(answer: RecommendResponse) -> list[str]:
    return [item.item_id for item in answer.items]


def categories(world: World, answer: RecommendResponse) -> Counter[str]:
    return Counter(world.retrieval.items[item_id].categories[0] for item_id in ids(answer))


async def test_what_is_asked_of_variety_goes_to_ranking_as_it_came(world: World) -> None:
    asked = Variety(diversity=0.5, category_max=3, keep_near_duplicates=True)
    await world.client.recommend("anna", variety=asked)
    assert world.ranking.requests[-1].variety == asked
    await world.client.recommend("anna")
    assert not world.ranking.requests[-1].HasField("variety")


async def test_a_limit_holds_after_items_were_dropped_and_the_shift_tells_of_it(
    world: World,
) -> None:
    # The fake ranking knows no limits: the best are 059 (odd), 058 (even), 057 (odd), ...
    world.retrieval.items["item-058"].unavailable = True
    answer = await world.client.recommend("anna", item_count=2, variety=Variety(category_max=1))
    assert ids(answer) == ["item-059", "item-056"]
    assert [item.selector_shift for item in answer.items] == [0, 1]


async def test_a_list_is_full_though_a_limit_cannot_hold(world: World) -> None:
    answer = await world.client.recommend("anna", item_count=6, variety=Variety(category_max=2))
    assert ids(answer) == [f"item-0{n}" for n in (59, 58, 57, 56, 55, 54)]


async def test_limits_hold_where_ranking_was_skipped(world: World) -> None:
    for number in range(40):
        world.retrieval.items[f"item-{number:03}"].brand = "acme"
    world.ranking.failure = DependencyUnavailable("ranking", "down")
    answer = await world.client.recommend("anna", item_count=5, variety=Variety(brand_max=2))
    # Of the first thirty all are of one brand: more of what was found is looked at.
    assert ids(answer) == ["item-000", "item-001", "item-040", "item-041", "item-042"]
    assert answer.degraded
    assert [item.selector_shift for item in answer.items] == [0, 0, 38, 38, 38]


async def test_limits_hold_for_the_fallback_list(world: World) -> None:
    for number in range(30, 60):
        world.retrieval.items[f"item-{number:03}"].brand = "acme"
    world.retrieval.failure = DependencyUnavailable("retrieval", "down")
    world.ranking.failure = DependencyUnavailable("ranking", "down")
    answer = await world.client.recommend("anna", item_count=10, variety=Variety(brand_max=3))
    brands = Counter(world.retrieval.items[item_id].brand for item_id in ids(answer))
    assert brands == {"acme": 3, "": 7}
    assert ids(answer)[:3] == ["item-059", "item-058", "item-057"]


async def test_fresh_items_have_their_share(world: World) -> None:
    for number in (40, 41, 42):
        created = Timestamp(seconds=NOW_S - 86_400)
        world.retrieval.items[f"item-{number:03}"].create_time.CopyFrom(created)
    context = RequestContext(request_time=Timestamp(seconds=NOW_S))
    answer = await world.client.recommend(
        "anna", item_count=5, variety=Variety(fresh_share=0.4), context=context
    )
    assert ids(answer) == ["item-059", "item-058", "item-042", "item-057", "item-041"]


async def test_a_pinned_item_stands_in_its_place_once_with_a_reason(world: World) -> None:
    await world.client.record_events(
        [Event(user_id="anna", item_id="item-003", action=event_pb2.ACTION_VIEW)]
    )
    pins = [Pin(item_id="item-058", position=4), Pin(item_id="item-003", position=1)]
    answer = await world.client.recommend("anna", item_count=4, pins=pins)
    assert ids(answer) == ["item-003", "item-059", "item-057", "item-058"]
    for place in (0, 3):
        reason = answer.items[place].reasons[0]
        assert reason.kind == candidate_pb2.REASON_KIND_PINNED
        assert reason.text == "Picked for this list"
        assert answer.items[place].title
        assert answer.items[place].selector_shift == 0
    # What ranking said of a pinned item is kept.
    assert answer.items[3].score == pytest.approx(0.999)
    assert len(answer.items[3].reasons) == 2
    assert answer.items[0].score == 0.0
    assert not answer.degraded
    await world.client.put_profile("anna", UserProfile(language_code="zh"))
    chinese = await world.client.recommend("anna", item_count=4, pins=pins)
    assert chinese.items[0].reasons[0].text == "为此列表特别挑选"


async def test_a_pinned_item_that_may_not_be_shown_is_left_out_and_the_list_filled(
    world: World,
) -> None:
    world.retrieval.items["item-010"].unavailable = True
    pins = [
        Pin(item_id="item-010", position=1),
        Pin(item_id="nobody-has-it", position=2),
        Pin(item_id="item-011", position=3),
        Pin(item_id="item-012", position=4),
    ]
    answer = await world.client.recommend(
        "anna", item_count=4, pins=pins, filter=EVEN, excluded_item_ids=["item-012"]
    )
    assert ids(answer) == ["item-058", "item-056", "item-054", "item-052"]
    assert not answer.degraded


async def test_pinned_items_count_towards_the_limits(world: World) -> None:
    pins = [Pin(item_id="item-001", position=2), Pin(item_id="item-003", position=3)]
    answer = await world.client.recommend(
        "anna", item_count=4, pins=pins, variety=Variety(category_max=2)
    )
    assert ids(answer) == ["item-058", "item-001", "item-003", "item-056"]
    assert categories(world, answer) == {"even": 2, "odd": 2}


async def test_a_list_of_nothing_but_pins_and_one_that_ends_before_them(world: World) -> None:
    pins = [Pin(item_id=f"item-{n:03}", position=n + 1) for n in range(3)]
    answer = await world.client.recommend("anna", item_count=3, pins=pins)
    assert ids(answer) == ["item-000", "item-001", "item-002"]
    for number in range(59):
        event = Event(user_id="bert", item_id=f"item-{number:03}", action=event_pb2.ACTION_VIEW)
        await world.client.record_events([event])
    short = await world.client.recommend(
        "bert", item_count=9, pins=[Pin(item_id="item-000", position=9)]
    )
    assert ids(short) == ["item-059", "item-000"]
    # A place beyond the ten of a list whose caller names no count.
    beyond = await world.client.recommend("anna", pins=[Pin(item_id="item-000", position=11)])
    assert len(beyond.items) == 10
    assert "item-000" not in ids(beyond)


async def test_where_the_catalogue_is_silent_a_pinned_item_that_nothing_found_is_left_out(
    world: World,
) -> None:
    world.retrieval.catalog_failure = DependencyUnavailable("catalogue", "down")
    pins = [Pin(item_id="nobody-has-it", position=1), Pin(item_id="item-050", position=2)]
    answer = await world.client.recommend("anna", item_count=3, pins=pins)
    assert ids(answer) == ["item-059", "item-050", "item-058"]
    assert [s.stage for s in answer.skipped_stages if s.stage == stage_pb2.STAGE_CHECK]
