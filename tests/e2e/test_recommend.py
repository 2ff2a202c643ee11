"""What a caller of the whole stack sees."""

import csv
import json
import subprocess
from collections import Counter

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tandem.v1 import candidate_pb2, error_reason_pb2, event_pb2, filter_pb2
from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue
from tandem.v1.user_pb2 import Friend, UserProfile
from tandem.v1.variety_pb2 import Pin, Variety
from tandem_client import reason_of
from tests.support.command import ROOT
from tests.support.running_stack import tandem


@pytest.fixture(scope="session")
def known_users(world):
    with (world / "interactions.csv").open(encoding="utf-8") as file:
        counts = Counter(row["user_id"] for row in csv.DictReader(file))
    return [user for user, _ in counts.most_common(20)]


def ids(response):
    return [item.item_id for item in response.items]


def test_a_known_user_gets_titles_scores_sources_and_reasons(client, known_users):
    plain = Variety(diversity=0.0, keep_near_duplicates=True)
    answer = client.recommend(known_users[0], variety=plain, timeout_s=10)
    assert len(answer.items) == 10
    assert not answer.degraded, answer.skipped_stages
    assert [i.score for i in answer.items] == sorted((i.score for i in answer.items), reverse=True)
    for item in answer.items:
        assert item.title
        assert item.hits
        assert all(reason.text for reason in item.reasons)
        assert item.reasons
        assert item.action_probabilities
    assert set(answer.model_versions) >= {"text_encoder", "ranker"}
    assert answer.attribution_token


def test_nothing_seen_is_recommended(client, known_users):
    seen = {e.item_id for e in client.get_user_state(known_users[0], timeout_s=10).user.history}
    answer = client.recommend(known_users[0], item_count=100, timeout_s=10)
    assert len(seen) > 20
    assert not seen & set(ids(answer))


def test_a_new_user_with_nothing_but_words_gets_what_fits_them(client):
    answer = client.recommend(text="a quiet evening with slow jazz", timeout_s=10)
    assert len(answer.items) == 10
    assert not answer.degraded, answer.skipped_stages
    sources = {hit.source for item in answer.items for hit in item.hits}
    assert candidate_pb2.SOURCE_SEMANTIC in sources
    assert candidate_pb2.SOURCE_CF not in sources
    kinds = {reason.kind for item in answer.items for reason in item.reasons}
    assert candidate_pb2.REASON_KIND_MATCHES_WORDS in kinds


def test_other_words_give_another_list(client):
    jazz = client.recommend(text="slow jazz records", item_count=20, timeout_s=10)
    food = client.recommend(text="火锅和辣的餐厅", item_count=20, timeout_s=10)
    assert set(ids(jazz)) != set(ids(food))


def test_a_profile_is_known_to_the_very_next_request(client):
    before = client.recommend("newcomer", timeout_s=10)
    client.put_profile("newcomer", UserProfile(text="steaming noodle soup"), timeout_s=10)
    after = client.recommend("newcomer", timeout_s=10)
    assert not after.degraded, after.skipped_stages
    assert ids(before) != ids(after)
    client.erase_user("newcomer", timeout_s=10)
    assert not client.get_user_state("newcomer", timeout_s=10).user.profile.text


def test_a_profile_fades_as_events_come_in(client):
    client.put_profile("fading", UserProfile(text="I like jazz"), timeout_s=10)
    fresh = confidences(client.recommend("fading", timeout_s=10))
    assert max(fresh.values()) == 1.0
    listed = ids(client.recommend("fading", item_count=10, timeout_s=10))
    events = [
        Event(user_id="fading", item_id=item_id, action=event_pb2.ACTION_VIEW) for item_id in listed
    ]
    client.record_events(events, timeout_s=10)
    faded = confidences(client.recommend("fading", timeout_s=10))
    assert faded == {tag: pytest.approx(sure / 2) for tag, sure in fresh.items()}
    # What is said with a request, or said again, counts in full.
    assert max(confidences(client.recommend("fading", text="jazz", timeout_s=10)).values()) == 1.0
    client.put_profile("fading", UserProfile(text="I like jazz"), timeout_s=10)
    assert confidences(client.recommend("fading", timeout_s=10)) == fresh
    client.erase_user("fading", timeout_s=10)


def confidences(answer):
    return {tag.tag: tag.confidence for tag in answer.interest_tags}


def test_words_steer_a_known_users_list_as_much_as_the_caller_wants(client, known_users):
    def fit(weight):
        # Of several users: to one, the world has hardly more than two items to offer.
        items = []
        for user in known_users[2:8]:
            answer = client.recommend(
                user, text="jazz", text_weight=weight, item_count=20, timeout_s=10
            )
            assert not answer.degraded, answer.skipped_stages
            items += answer.items
        found = ({hit.source for hit in item.hits} for item in items)
        reasons = [reason.kind for item in items for reason in item.reasons]
        return sum(candidate_pb2.SOURCE_TAGS in sources for sources in found), reasons

    (mute, _), (loud, reasons) = fit(0.0), fit(10.0)
    assert loud > mute
    assert candidate_pb2.REASON_KIND_MATCHES_WORDS in reasons


def test_three_events_change_the_very_next_list(client, known_users):
    user = known_users[1]
    before = client.recommend(user, timeout_s=10)
    liked = ids(before)[:3]
    events = [
        Event(
            user_id=user,
            item_id=item_id,
            action=event_pb2.ACTION_LIKE,
            attribution_token=before.attribution_token,
        )
        for item_id in liked
    ]
    stored = client.record_events(events, timeout_s=10)
    assert (stored.recorded_count, stored.attributed_count) == (3, 3)
    after = client.recommend(user, timeout_s=10)
    assert not after.degraded, after.skipped_stages
    assert not set(liked) & set(ids(after))
    kept = [item_id for item_id in ids(before) if item_id in ids(after)]
    scores = {item.item_id: item.score for item in before.items}
    assert any(item.score != scores.get(item.item_id) for item in after.items)
    assert len(kept) < 10


FRIENDS = candidate_pb2.SOURCE_FRIENDS


def by_friends(client, user_id):
    """Return the items of a list that friends are known to have used."""
    answer = client.recommend(user_id, item_count=80, timeout_s=10)
    assert not answer.degraded, answer.skipped_stages
    return {i.item_id for i in answer.items if any(hit.source == FRIENDS for hit in i.hits)}


def test_what_friends_used_serves_a_list_where_both_sides_allow_it(client, world):
    with (world / "items.csv").open(encoding="utf-8") as file:
        used = [row["item_id"] for row in csv.DictReader(file)][:60]
    shares = UserProfile(text="jazz", friends_enabled=True)
    for user_id in ("friend-a", "friend-b"):
        client.put_profile(user_id, shares, timeout_s=10)
    events = [
        Event(user_id="friend-b", item_id=item_id, action=event_pb2.ACTION_LIKE) for item_id in used
    ]
    client.record_events(events, timeout_s=10)
    assert not by_friends(client, "friend-a")
    client.put_friends("friend-a", [Friend(user_id="friend-b")], timeout_s=10)
    found = by_friends(client, "friend-a")
    # Of one friend, the newest uses count.
    assert found
    assert found <= set(used[-20:])
    for user_id in ("friend-b", "friend-a"):
        client.put_profile(user_id, UserProfile(text="jazz"), timeout_s=10)
        assert not by_friends(client, "friend-a")
        client.put_profile(user_id, shares, timeout_s=10)
        assert by_friends(client, "friend-a")
    client.erase_user("friend-b", timeout_s=30)
    assert not by_friends(client, "friend-a")
    client.erase_user("friend-a", timeout_s=30)


def test_ingestion_brings_friends_along(client, world):
    with (world / "social.csv").open(encoding="utf-8") as file:
        of_user = Counter(row["user_id"] for row in csv.DictReader(file))
    user_id, count = of_user.most_common(1)[0]
    listed = [f for part in client.export_user(user_id, timeout_s=10) for f in part.friends]
    assert len(listed) == count


def test_a_filter_holds_for_every_item(client, known_users):
    wanted = Filter(
        condition=Condition(
            attribute="categories",
            operator=filter_pb2.OPERATOR_EQUAL,
            values=[AttributeValue(string_value="music")],
        )
    )
    answer = client.recommend(known_users[2], item_count=10, filter=wanted, timeout_s=10)
    items = client.get_items(ids(answer), timeout_s=10).items
    assert len(items) == len(answer.items) > 0
    assert all("music" in item.categories for item in items)


def test_a_list_keeps_to_a_limit_and_holds_a_pinned_item(client, known_users):
    count = 4
    limit = Variety(category_max=1)
    answer = client.recommend(known_users[2], item_count=count, variety=limit, timeout_s=10)
    assert not answer.degraded, answer.skipped_stages
    items = client.get_items(ids(answer), timeout_s=10).items
    broadest = Counter(item.categories[0] for item in items)
    assert len(broadest) == count, broadest
    history = client.get_user_state(known_users[2], timeout_s=10).user.history
    pin = Pin(item_id=history[0].item_id, position=2)
    pinned = client.recommend(
        known_users[2], item_count=count, variety=limit, pins=[pin], timeout_s=10
    )
    assert ids(pinned)[1] == pin.item_id
    items = client.get_items(ids(pinned), timeout_s=10).items
    assert len({item.categories[0] for item in items}) == count
    assert candidate_pb2.REASON_KIND_PINNED in {r.kind for r in pinned.items[1].reasons}


def test_the_same_request_at_the_same_time_gives_the_same_list(client, known_users):
    now = Timestamp()
    now.FromJsonString("2026-03-01T12:00:00Z")
    context = RequestContext(request_time=now)
    first = client.recommend(known_users[3], context=context, timeout_s=10)
    second = client.recommend(known_users[3], context=context, timeout_s=10)
    assert [(i.item_id, i.score) for i in first.items] == [
        (i.item_id, i.score) for i in second.items
    ]


def test_an_empty_request_and_an_unknown_user_get_a_list(client):
    for user in ("", "nobody-knows-me"):
        answer = client.recommend(user, timeout_s=10)
        assert len(answer.items) == 10
        assert not answer.degraded, answer.skipped_stages


def late():
    time = Timestamp()
    time.FromJsonString("9999-12-31T00:00:00Z")
    return RequestContext(request_time=time)


@pytest.mark.parametrize(
    ("field", "request_of"),
    [
        ("item_count", {"item_count": -1}),
        ("item_count", {"item_count": 10**9}),
        ("user_id", {"user_id": "u" * 257}),
        ("text", {"text": "x" * 1_000_000}),
        ("place", {"context": RequestContext(place=Place(latitude=float("nan")))}),
        ("request_time", {"context": late()}),
        (
            "attribute",
            {
                "filter": Filter(
                    condition=Condition(
                        attribute="no_such_thing",
                        operator=filter_pb2.OPERATOR_EQUAL,
                        values=[AttributeValue(int64_value=1)],
                    )
                )
            },
        ),
    ],
)
def test_bad_input_is_refused_naming_field_and_limit(client, field, request_of):
    with pytest.raises(grpc.RpcError) as caught:
        client.recommend(**request_of, timeout_s=10)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    reason, metadata = reason_of(caught.value)
    assert reason == error_reason_pb2.ERROR_REASON_INVALID_FIELD
    assert field in metadata["field"]
    assert metadata["problem"]


def test_a_foreign_client_needs_nothing_but_reflection(stack):
    done = subprocess.run(
        [
            *("npx", "--yes", "@bufbuild/buf", "curl"),
            *("--protocol", "grpc", "--http2-prior-knowledge"),
            *("-d", '{"user_id":"1","item_count":5}'),
            f"http://{stack.target}/tandem.v1.RecommenderService/Recommend",
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["items"]) == 5


def test_the_command_shows_a_list(stack, known_users):
    done = tandem("recommend", "--user", known_users[0], "-k", 3, "--target", stack.target)
    assert "Reasons" in done.stdout
    done = tandem("recommend", "--text", "jazz", "-k", 3, "--json", "--target", stack.target)
    assert len(json.loads(done.stdout)["items"]) == 3


def test_the_command_turns_the_dials_of_variety(stack, known_users):
    asked = ("recommend", "--user", known_users[0], "-k", 5, "--target", stack.target)
    done = tandem(*asked, "--diversity", 0.9, "--category-max", 1, "--fresh-share", 0.2)
    assert "Shift" in done.stdout
    listed = json.loads(tandem(*asked, "--json").stdout)["items"]
    pin = f"{listed[4]['item_id']}@1"
    done = tandem(*asked, "--pin", pin, "--near-duplicates", "--brand-max", 2)
    assert "Picked for this list" in done.stdout
    done = tandem(*asked, "--pin", "nonsense", status=1)
    assert "ITEM@POSITION" in done.stdout + done.stderr
