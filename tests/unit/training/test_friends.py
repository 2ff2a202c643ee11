"""What friends used, as training knows it, is what serving reads of its store."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.friends import FRIENDS_ASKED, USES_EACH
from gateway_service.attribution import Tokens
from gateway_service.store.dialect import make_engines
from gateway_service.store.events import event_rows, record_events
from gateway_service.store.friends import put_friends, read_friends_items
from gateway_service.store.profiles import put_profile
from gateway_service.store.schema import metadata
from training.datasets import open_dataset
from training.datasets.format import Dataset
from training.datasets.protos import events_of, friends_of, profiles_of
from training.evaluation.friends import friends_in
from training.evaluation.protocols import Protocol
from training.evaluation.trial import make_trial
from training.friends import Friends, collect_friends
from training.interactions import Interactions, interactions_of

ACTIONS = ("view", "like", "dismiss", "purchase", "impression")
ITEMS, USERS = 12, 6
EVENTS = st.lists(
    st.tuples(
        st.integers(0, USERS - 1),
        st.integers(0, ITEMS - 1),
        st.integers(0, 400),
        st.sampled_from(ACTIONS),
    ),
    min_size=1,
    max_size=60,
)
EDGES = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.integers(0, USERS - 1), st.sampled_from((0.5, 1, 3))),
    min_size=1,
    max_size=20,
)


def world(
    directory: Path,
    events: list[tuple[int, int, int, str]],
    edges: list[tuple[int, int, float]],
    shares: list[bool],
) -> Dataset:
    """Write and read a data set; times are in days."""
    directory.mkdir(parents=True, exist_ok=True)
    days = [1_600_000_000 + day * 86_400 for _, _, day, _ in events]
    tables = {
        "items": {"item_id": [f"i{n:02}" for n in range(ITEMS)]},
        "users": {
            "user_id": [f"u{n:02}" for n in range(len(shares))],
            "friends_enabled": shares,
        },
        "interactions": {
            "user_id": [f"u{user:02}" for user, *_ in events],
            "item_id": [f"i{item:02}" for _, item, *_ in events],
            "timestamp": days,
            "action": [action for *_, action in events],
        },
        "social": {
            "user_id": [f"u{user:02}" for user, _, _ in edges],
            "friend_id": [f"u{friend:02}" for _, friend, _ in edges],
            "weight": [weight for *_, weight in edges],
        },
    }
    for name, columns in tables.items():
        pd.DataFrame(columns).to_csv(directory / f"{name}.csv", index=False)
    return open_dataset(str(directory), rejects=None)


def by_item(friends: Friends, user: int, day: float) -> dict[str, float]:
    found = friends.items_before(user, int((1_600_000_000 + day * 86_400) * 1000))
    return {
        f"i{i:02}": w for i, w in zip(found.items.tolist(), found.weights.tolist(), strict=True)
    }


@settings(max_examples=25, deadline=None)
@given(events=EVENTS, edges=EDGES, shares=st.lists(st.booleans(), min_size=USERS, max_size=USERS))
def test_training_and_the_store_agree_on_what_friends_used(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[int, int, int, str]],
    edges: list[tuple[int, int, float]],
    shares: list[bool],
) -> None:
    directory = tmp_path_factory.mktemp("friends")
    edges = [edge for edge in edges if edge[0] != edge[1]] or [(0, 1, 1.0)]
    data = world(directory / "data", events, edges, shares)
    writer, readers = make_engines(f"sqlite:///{directory}/users.db", 1)
    metadata.create_all(writer)
    with writer.begin() as connection:
        for user_id, profile in profiles_of(data):
            put_profile(connection, user_id, profile, 1)
        for user_id, listed in friends_of(data):
            put_friends(connection, user_id, listed, 1)
        record_events(connection, event_rows(events_of(data), 1, Tokens([bytes(32)])))
    friends = collect_friends(data, interactions_of(data))
    with readers.begin() as connection:
        for user in range(USERS):
            for day in (0, 100, 200.5, 401):
                before_us = int((1_600_000_000 + day * 86_400) * 1_000_000)
                stored = read_friends_items(connection, f"u{user:02}", before_us)
                # Whether the user allows it, the gateway knows by the profile that it has read.
                expected = by_item(friends, user, day) if shares[user] else {}
                actual = {one.item_id: one.count for one in stored} if shares[user] else {}
                assert actual == pytest.approx(expected, rel=1e-6)
    writer.dispose()
    readers.dispose()


def test_only_what_was_done_before_counts_and_only_the_newest_of_it(tmp_path: Path) -> None:
    events = [(1, n % ITEMS, n, "view") for n in range(USES_EACH + 10)] + [(0, 0, 0, "view")]
    friends = collect_friends(*both(world(tmp_path, events, [(0, 1, 1.0)], [True, True])))
    assert by_item(friends, 0, 0) == {}
    assert set(by_item(friends, 0, 3)) == {"i00", "i01", "i02"}
    late = by_item(friends, 0, USES_EACH + 10)
    newest = range(10, USES_EACH + 10)
    assert set(late) == {f"i{n % ITEMS:02}" for n in newest}
    assert by_item(friends, 1, 50) == {}


def test_both_sides_must_allow_it(tmp_path: Path) -> None:
    events = [(user, user, 1, "view") for user in range(3)]
    edges = [(0, 1, 1.0), (0, 2, 1.0), (1, 0, 1.0), (2, 0, 1.0)]
    data = world(tmp_path, events, edges, [True, True, False])
    friends = collect_friends(*both(data))
    assert set(by_item(friends, 0, 2)) == {"i01"}
    assert set(by_item(friends, 1, 2)) == {"i00"}
    assert by_item(friends, 2, 2) == {}


def test_of_many_friends_the_closest_are_asked(tmp_path: Path) -> None:
    count = FRIENDS_ASKED + 2
    events = [(user, user % ITEMS, 1, "view") for user in range(1, count + 1)]
    edges = [(0, user, float(user)) for user in range(1, count + 1)]
    data = world(tmp_path, events, edges, [True] * (count + 1))
    friends = collect_friends(*both(data))
    own = friends.friends[slice(*friends.starts[:2].tolist())]
    assert own.tolist() == list(range(count, 2, -1))


def test_requests_as_users_of_their_own_have_the_friends_of_whoever_asks(tmp_path: Path) -> None:
    events = [(user, user, 1, "view") for user in range(3)]
    data = world(tmp_path, events, [(0, 1, 1.0), (1, 2, 2.0)], [True] * 3)
    friends = collect_friends(*both(data)).of_users(np.array([1, 2, 1, 0]))
    assert [set(by_item(friends, n, 2)) for n in range(4)] == [{"i02"}, set(), {"i02"}, {"i01"}]


def test_items_by_other_rows_are_those_that_are_left(tmp_path: Path) -> None:
    events = [(1, 3, 1, "view"), (1, 5, 1, "view")]
    data = world(tmp_path, events, [(0, 1, 1.0)], [True, True])
    rows = np.full(ITEMS, -1, np.int32)
    rows[5] = 8
    friends = collect_friends(*both(data)).by_rows(rows)
    assert set(by_item(friends, 0, 2)) == {"i08"}


def both(data: Dataset) -> tuple[Dataset, Interactions]:
    return data, interactions_of(data)


def test_in_a_trial_friends_are_known_by_what_is_ever_recorded(tmp_path: Path) -> None:
    # Each user's last event is what is asked for, and is never recorded.
    events = [(0, 0, 10, "view"), (0, 1, 20, "view"), (1, 2, 1, "view"), (1, 3, 2, "view")]
    data = world(tmp_path, events, [(0, 1, 1.0), (1, 0, 1.0)], [True, True])
    trial = make_trial(data, Protocol("loo"))
    friends = friends_in(trial)
    assert set(by_item(friends, 0, 30)) == {"i02"}
    assert set(by_item(friends, 1, 30)) == {"i00"}
    users = trial.requests.users
    asked = friends.of_users(users)
    assert [set(by_item(asked, n, 30)) for n in range(len(users))] == [{"i02"}, {"i00"}]
