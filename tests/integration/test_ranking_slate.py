"""The ranking service's list: its order, its length, and what may stand in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import numpy as np
import pytest

from ranking_service.settings import Settings
from tandem.v1.common_pb2 import Vector
from tandem.v1.item_pb2 import Item, ItemOverride
from tandem.v1.variety_pb2 import Variety
from tests.support.ranking import golden, load, rank, running_ranking
from tests.support.trained import WIDTH

VALUE_ALONE = Variety(diversity=0.0, keep_near_duplicates=True)


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    async with running_ranking(Settings(threads=1)) as channel:
        yield channel


async def test_the_list_is_ordered_by_value_and_as_long_as_asked(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    request.item_count = 5
    request.variety.MergeFrom(VALUE_ALONE)
    answer = await rank(channel, request)
    scores = [item.score for item in answer.items]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    for item in answer.items:
        chances = {p.action: p.probability for p in item.action_probabilities}
        assert len(chances) == 2
        assert all(0 < chance < 1 for chance in chances.values())


async def test_a_slate_keeps_to_its_limits_and_tells_what_they_moved(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    request.variety.MergeFrom(VALUE_ALONE)
    by_value = [item.item_id for item in (await rank(channel, request)).items]
    request.item_count = 6
    request.variety.category_max = 2
    # Of two colours one item is made a third category, and one is new since the release.
    other, newer = by_value[0], "brand-new"
    request.candidates.add(item_id=newer)
    vector = Vector(float32_values=np.full(WIDTH, WIDTH**-0.5, "<f4").tobytes())
    for item_id in (other, newer):
        item = Item(item_id=item_id, categories=["green"])
        request.item_overrides.append(ItemOverride(item=item, text_vector=vector))
    answer = await rank(channel, request)
    items = [item.item_id for item in answer.items]
    assert set(items[:6]) >= {other, newer}
    colours = [int(item_id[1:]) % 2 for item_id in items if item_id not in (other, newer)]
    assert sorted(colours) == [0, 0, 1, 1]
    request.item_count = 0
    request.variety.category_max = 0
    now_by_value = [item.item_id for item in (await rank(channel, request)).items]
    for place, item in enumerate(answer.items):
        assert item.selector_shift == now_by_value.index(item.item_id) - place


async def test_a_fresh_item_has_its_share_by_the_time_of_the_request(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    request.item_count = 4
    request.variety.MergeFrom(Variety(fresh_share=0.25))
    last = (await rank(channel, request)).items[-1].item_id
    worst = request.candidates[-1].item_id
    item = Item(item_id=worst, title="red thing")
    item.create_time.FromSeconds(request.context.request_time.seconds - 86_400)
    vector = Vector(float32_values=np.full(WIDTH, WIDTH**-0.5, "<f4").tobytes())
    request.item_overrides.append(ItemOverride(item=item, text_vector=vector))
    assert worst in {item.item_id for item in (await rank(channel, request)).items}
    assert last != worst
    request.variety.fresh_age.FromSeconds(3_600)
    assert worst not in {item.item_id for item in (await rank(channel, request)).items}


async def test_the_settings_diversity_holds_where_a_request_sets_none(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    lists = []
    for diversity in (None, Settings().diversity, 1.0):
        if diversity is not None:
            request.variety.diversity = diversity
        lists.append([item.item_id for item in (await rank(channel, request)).items])
    assert lists[0] == lists[1] != lists[2]
    assert sorted(lists[0]) == sorted(lists[2])
