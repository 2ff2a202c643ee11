"""The store against a model of it in plain Python."""

import asyncio
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from features.ids import item_hashes
from gateway_service.attribution import Tokens
from gateway_service.store.database import Database
from gateway_service.store.erasures import erase_user
from gateway_service.store.events import event_rows, record_events
from gateway_service.store.user_state import HISTORY_MAX, read_user_state
from serving.errors import NotFound, StorageUnavailable
from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import UserState

EVENTS = st.builds(
    Event,
    event_id=st.sampled_from(["", "a", "b", "c"]),
    user_id=st.sampled_from(["anna", "bert"]),
    item_id=st.sampled_from([f"item-{n}" for n in range(6)]),
    action=st.sampled_from(
        [event_pb2.ACTION_IMPRESSION, event_pb2.ACTION_VIEW, event_pb2.ACTION_DISMISS]
    ),
    # Few times, so that there are ties; late and early ones in any order.
    event_time=st.integers(0, 4).map(lambda seconds: Timestamp(seconds=seconds)),
)


TOKENS = Tokens([bytes(32)])


def open_database(directory: Path) -> Database:
    return Database(f"sqlite:///{directory}/users.db", read_threads=1)


async def record(database: Database, events: list[Event]) -> tuple[int, int]:
    rows = event_rows(events, 1, TOKENS)
    answer = await database.write(lambda connection: record_events(connection, rows))
    return answer.recorded_count, answer.duplicate_count


async def state(database: Database, user_id: str) -> UserState:
    return await database.read(lambda connection: read_user_state(connection, user_id, 1))


def identity(event: Event) -> bytes | str:
    return event.event_id or event.SerializeToString(deterministic=True)


@settings(max_examples=25, deadline=None)
@given(calls=st.lists(st.lists(EVENTS, min_size=1, max_size=8), max_size=6))
def test_the_state_is_that_of_a_plain_list_of_distinct_events(
    tmp_path_factory: pytest.TempPathFactory, calls: list[list[Event]]
) -> None:
    database = open_database(tmp_path_factory.mktemp("store"))
    kept: dict[bytes | str, Event] = {}

    async def run() -> None:
        for call in calls:
            new = {identity(event) for event in call} - kept.keys()
            for event in call:
                kept.setdefault(identity(event), event)
            assert await record(database, call) == (len(new), len(call) - len(new))
        for user_id in ("anna", "bert"):
            events = [event for event in kept.values() if event.user_id == user_id]
            # Python's sort keeps the order of ties, as the store must.
            past = sorted(
                (e for e in events if e.action != event_pb2.ACTION_IMPRESSION),
                key=lambda e: e.event_time.seconds,
            )
            user = await state(database, user_id)
            assert [(e.item_id, e.action, e.event_time.seconds) for e in user.history] == [
                (e.item_id, e.action, e.event_time.seconds) for e in past
            ]
            assert list(user.seen.item_hashes) == item_hashes(e.item_id for e in events).tolist()
            assert (user.version > 0) == bool(events)

    asyncio.run(run())
    database.close()


async def test_the_history_holds_the_newest_events_and_seen_holds_all(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    events = [
        Event(
            user_id="anna",
            item_id=f"item-{n}",
            action=event_pb2.ACTION_VIEW,
            event_time=Timestamp(seconds=10_000 - n),
        )
        for n in range(700)
    ]
    await record(database, events)
    user = await state(database, "anna")
    assert len(user.history) == HISTORY_MAX
    assert [event.item_id for event in user.history][-2:] == ["item-1", "item-0"]
    assert len(user.seen.item_hashes) == 700
    database.close()


async def test_a_write_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    event = Event(user_id="anna", item_id="a", action=event_pb2.ACTION_VIEW)
    rows = event_rows([event], 1, TOKENS)

    def half(connection: Connection) -> None:
        record_events(connection, event_rows([Event(user_id="bert", item_id="b")], 1, TOKENS))
        raise NotFound("anything")

    outcomes = await asyncio.gather(
        database.write(half),
        database.write(lambda connection: record_events(connection, rows)),
        database.write(half),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], NotFound)
    assert not isinstance(outcomes[1], BaseException)
    assert isinstance(outcomes[2], NotFound)
    assert (await state(database, "anna")).version > 0
    assert (await state(database, "bert")).version == 0
    database.close()


async def test_a_database_error_names_no_values(tmp_path: Path) -> None:
    database = open_database(tmp_path)

    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO users VALUES ('secret-user', NULL, NULL)")

    with pytest.raises(StorageUnavailable) as raised:
        await database.write(broken)
    assert "secret-user" not in str(raised.value)
    database.close()


async def test_erasing_leaves_other_users_alone(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    events = [
        Event(user_id=user_id, item_id="a", action=event_pb2.ACTION_VIEW)
        for user_id in ("anna", "bert")
    ]
    await record(database, events)
    erased = await database.write(lambda c: erase_user(c, "anna", "hash", 1), purge=True)
    assert (erased.erased_event_count, erased.erased_impression_count) == (1, 0)
    assert (await state(database, "anna")).version == 0
    assert len((await state(database, "bert")).history) == 1
    database.close()


async def test_a_full_disk_stores_nothing_and_says_so(tmp_path: Path) -> None:
    database = open_database(tmp_path)

    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    await database.write(fill)
    words = "long words " * 5_000
    event = Event(user_id="anna", item_id="a", action=event_pb2.ACTION_VIEW, text=words)
    with pytest.raises(StorageUnavailable, match="full"):
        await record(database, [event])
    assert (await state(database, "anna")).version == 0
    database.close()
