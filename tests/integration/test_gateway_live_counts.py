"""What is used now counts in the very next list, whoever recorded it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tests.support.gateway import World, eventually, running_gateway, running_world

LEARNED_S = 1_700_000_000
MONTH_S = 30 * 86_400


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        await world.activate("first", newest_event_ms=LEARNED_S * 1_000)
        yield world


def use(item_id: str, seconds: int, user: str = "u", action: int = event_pb2.ACTION_VIEW) -> Event:
    return Event(
        user_id=user,
        item_id=item_id,
        action=action,  # type: ignore[arg-type]
        event_time=Timestamp(seconds=seconds),
    )


async def counts(world: World) -> dict[str, float]:
    await world.client.recommend("somebody else")
    return {count.item_id: count.count for count in world.retrieval.requests[-1].live_counts}


async def test_a_use_counts_in_the_next_list_of_everybody(world: World) -> None:
    assert await counts(world) == {}
    await world.client.record_events([use("item-001", LEARNED_S + 1)])
    assert await counts(world) == {"item-001": pytest.approx(1.0, rel=1e-4)}
    later = [use("item-001", LEARNED_S + MONTH_S), use("item-002", LEARNED_S + 2 * MONTH_S)]
    await world.client.record_events(later)
    found = await counts(world)
    assert found == {"item-001": pytest.approx(3.0, rel=1e-4), "item-002": pytest.approx(4.0)}
    assert list(found) == ["item-002", "item-001"]
    ranked = {count.item_id: count.count for count in world.ranking.requests[-1].live_counts}
    assert ranked == found


async def test_what_the_release_has_learned_from_is_not_counted_twice(world: World) -> None:
    await world.client.record_events([use("item-001", LEARNED_S), use("item-002", LEARNED_S - 9)])
    assert await counts(world) == {}
    # To a release that has learned from less it is new, as soon as the gateway has counted.
    await world.activate("older", newest_event_ms=(LEARNED_S - 5) * 1_000)

    async def counted() -> bool:
        return set(await counts(world)) == {"item-001"}

    await eventually(counted)


async def test_dislikes_resent_events_and_wrong_clocks_do_not_count(world: World) -> None:
    event = use("item-001", LEARNED_S + 1)
    await world.client.record_events([event])
    await world.client.record_events([event])
    await world.client.record_events(
        [
            use("item-002", LEARNED_S + 1, action=event_pb2.ACTION_DISMISS),
            use("item-003", LEARNED_S + 1, action=event_pb2.ACTION_IMPRESSION),
            use("item-004", 4_000_000_000),
        ]
    )
    assert await counts(world) == {"item-001": pytest.approx(1.0, rel=1e-4)}


async def test_what_is_used_long_after_a_release_learned_counts_much_and_not_endlessly(
    world: World,
) -> None:
    await world.activate("of 1970", newest_event_ms=1)
    await world.client.record_events([use("item-002", LEARNED_S)])

    async def counted() -> bool:
        return (await counts(world)).get("item-002") == 2.0**20

    await eventually(counted)


async def test_another_gateway_counts_what_this_one_recorded(world: World) -> None:
    async with running_gateway(world.settings) as (other, _):
        await world.client.record_events([use("item-001", LEARNED_S + 1)])

        async def told() -> bool:
            await other.recommend("somebody else")
            return bool(world.retrieval.requests[-1].live_counts)

        await eventually(told)
