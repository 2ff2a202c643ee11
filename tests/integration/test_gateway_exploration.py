"""What the gateway asks of exploration, and what it learns from it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tandem.v1 import event_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.item_pb2 import Item
from tandem.v1.ranking_service_pb2 import Exploration, RankRequest
from tandem.v1.recommender_service_pb2 import RecommendResponse
from tests.support.gateway import World, eventually, running_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        # Of the release's items nobody has used any: all are new.
        await world.activate("first")
        yield world


async def asked(
    world: World, second: int, share: float | None = None, user: str = "anna"
) -> Exploration:
    context = RequestContext()
    context.request_time.FromSeconds(second)
    await world.client.recommend(user, context=context, exploration_share=share)
    request: RankRequest = world.ranking.requests[-1]
    return request.exploration


async def test_a_share_of_the_places_is_for_new_items(world: World) -> None:
    asks = [await asked(world, second) for second in range(60)]
    # 0.05 of ten places: every other list has one.
    assert 15 < sum(len(one.positions) for one in asks) < 45
    assert {position for one in asks for position in one.positions} <= set(range(6, 11))
    more = await asked(world, 1, share=0.3)
    assert len(more.positions) == 3
    assert len(more.trials) == 60
    assert not (await asked(world, 1, share=0.0)).positions


async def test_the_same_user_at_the_same_time_explores_alike(world: World) -> None:
    first, again = [await asked(world, 7, share=0.1) for _ in range(2)]
    assert first == again


async def test_trials_are_counted_where_they_were_for_exploration(world: World) -> None:
    world.ranking.explored_with = 0.5
    context = RequestContext()
    context.request_time.FromSeconds(7)
    answer: RecommendResponse = await world.client.recommend(
        "anna", context=context, exploration_share=0.08
    )
    assert answer.items[2].HasField("explored_with")
    explored, usual = answer.items[2].item_id, answer.items[0].item_id
    world.ranking.explored_with = 0.0

    def done(item_id: str, action: event_pb2.Action.ValueType) -> Event:
        return Event(
            user_id="anna",
            item_id=item_id,
            action=action,
            attribution_token=answer.attribution_token,
        )

    events = [done(explored, event_pb2.ACTION_CLICK), done(explored, event_pb2.ACTION_LIKE)]
    events += [done(usual, event_pb2.ACTION_CLICK)]
    assert (await world.client.record_events(events)).attributed_count == 3
    logged = [e.attributed async for part in world.client.export_events() for e in part.events]
    # That the list explores at all had a probability of 0.8.
    assert [round(e.propensity, 3) for e in logged] == [0.4, 0.4, 1.0]

    async def counted() -> bool:
        trials = {t.item_id: t for t in (await asked(world, 8, share=0.1, user="bert")).trials}
        # However often it was clicked and liked in that list, it was taken once.
        one = trials[explored]
        return (one.shown_count, one.taken_count) == (1, 1) and not trials[usual].taken_count

    await eventually(counted)


async def test_what_people_used_and_what_had_its_trials_is_new_no_longer(world: World) -> None:
    world.retrieval.items["newest"] = Item(item_id="newest", title="Not in the release")
    trials = {trial.item_id for trial in (await asked(world, 3, share=0.1)).trials}
    assert "newest" in trials
