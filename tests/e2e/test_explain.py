"""Why an item is not in a list, through the whole stack."""

import csv
import time

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import filter_pb2
from tandem.v1.event_pb2 import ACTION_DISMISS, ACTION_VIEW, Event
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_fate_pb2 import Fate
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.stage_pb2 import Stage
from tests.support.running_stack import tandem


@pytest.fixture(scope="module")
def user(world):
    with (world / "interactions.csv").open(encoding="utf-8") as file:
        return next(csv.DictReader(file))["user_id"]


@pytest.fixture
def request_at(user):
    now = Timestamp()
    now.FromJsonString("2026-03-01T12:00:00Z")
    asked = RecommendRequest(user_id=user, item_count=10)
    asked.context.request_time.CopyFrom(now)
    return asked


def fate(client, request, item_id):
    told = client.explain(request, item_id, timeout_s=10)
    assert told.detail.endswith(".")
    assert "{" not in told.detail
    return told


def test_of_all_items_it_is_told_where_they_went(client, request_at, world):
    answer = client.recommend(
        request_at.user_id, context=request_at.context, item_count=10, timeout_s=10
    )
    listed = [item.item_id for item in answer.items]
    with (world / "items.csv").open(encoding="utf-8") as file:
        items = [row["item_id"] for row in csv.DictReader(file)][:30]
    fates = {}
    for item_id in [*items, *listed]:
        told = fate(client, request_at, item_id)
        fates.setdefault(told.fate, []).append(told)
        assert [item.item_id for item in told.answer.items] == listed
        assert not told.answer.attribution_token
        assert (told.fate == Fate.FATE_SHOWN) == (item_id in listed)
    for told in fates[Fate.FATE_SHOWN]:
        assert told.answer.items[told.list_position - 1].item_id == told.item.item_id
        assert told.item.reasons
    lower = fates[Fate.FATE_RANKED_LOWER]
    assert lower
    for told in lower:
        assert told.stage == Stage.STAGE_SCORE
        assert 10 < told.rank <= told.candidate_count
        assert told.retrieval_place
        assert told.item.score <= told.last_score
        assert told.item.contributions
    for told in [*fates.get(Fate.FATE_NOT_FOUND, []), *fates.get(Fate.FATE_NOT_A_CANDIDATE, [])]:
        assert told.stage == Stage.STAGE_RETRIEVE
        assert told.item.contributions, "it is ranked all the same, to tell how it would stand"


def test_what_was_used_dismissed_or_excluded_says_so(client, request_at, user):
    used = client.get_user_state(user, timeout_s=10).user.history[0].item_id
    assert fate(client, request_at, used).fate == Fate.FATE_SEEN
    listed = client.explain(request_at, "x", timeout_s=10).answer.items
    dismissed, excluded = listed[0].item_id, listed[1].item_id
    events = [Event(user_id=user, item_id=dismissed, action=ACTION_DISMISS)]
    client.record_events(events, timeout_s=10)
    assert fate(client, request_at, dismissed).fate == Fate.FATE_DISMISSED
    request_at.excluded_item_ids.append(excluded)
    assert fate(client, request_at, excluded).fate == Fate.FATE_EXCLUDED
    assert fate(client, request_at, "x").fate == Fate.FATE_NOT_IN_CATALOGUE


def test_a_filter_and_words_are_told_apart(client, request_at):
    music = Condition(
        attribute="categories",
        operator=filter_pb2.OPERATOR_EQUAL,
        values=[AttributeValue(string_value="music")],
    )
    listed = client.explain(request_at, "x", timeout_s=10).answer.items
    items = client.get_items([item.item_id for item in listed], timeout_s=10).items
    other = next(item for item in items if "music" not in item.categories)
    request_at.filter.CopyFrom(Filter(condition=music))
    assert fate(client, request_at, other.item_id).fate == Fate.FATE_FILTERED
    request_at.ClearField("filter")
    request_at.text = f"no {other.categories[0]}"
    assert fate(client, request_at, other.item_id).fate == Fate.FATE_RULED_OUT_BY_WORDS


def test_the_copy_of_a_dismissed_item_stays_away_too(client, world):
    original = Item(
        item_id="tea-original", title="Jasmine tea, loose leaves", description="From spring buds."
    )
    copy = Item()
    copy.CopyFrom(original)
    copy.item_id = "tea-copy"
    client.upsert_items([original, copy], timeout_s=60)
    asked = RecommendRequest(user_id="tea drinker", text="jasmine tea, loose leaves", item_count=50)
    try:
        _copies_stay_away(client, asked)
    finally:
        client.delete_items(["tea-original", "tea-copy"], timeout_s=10)
        client.erase_user("tea drinker", timeout_s=10)


def _copies_stay_away(client, asked):
    # The index shows what was written after a moment.
    for _ in range(40):
        found = {item.item_id for item in client.explain(asked, "x", timeout_s=10).answer.items}
        if {"tea-original", "tea-copy"} & found:
            break
        time.sleep(0.25)
    assert {"tea-original", "tea-copy"} & found
    seen = [
        Event(user_id="tea drinker", item_id="tea-original", action=ACTION_VIEW),
        Event(user_id="tea drinker", item_id="tea-original", action=ACTION_DISMISS),
    ]
    client.record_events(seen, timeout_s=10)
    told = fate(client, asked, "tea-copy")
    assert told.fate == Fate.FATE_LIKE_DISMISSED
    assert "tea-copy" not in {item.item_id for item in told.answer.items}
    assert fate(client, asked, "tea-original").fate == Fate.FATE_DISMISSED


def test_the_command_tells_the_same(client, stack, request_at):
    done = tandem(
        "explain", "--user", request_at.user_id, "--item", "no-such", "--target", stack.target
    )
    assert "The catalogue does not have it." in done.stdout
