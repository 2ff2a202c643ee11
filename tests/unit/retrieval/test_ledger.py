"""Which copy of the service may write to a collection."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval_service.catalogue.database import Database
from retrieval_service.index import ledger as ledger_module
from retrieval_service.index.ledger import Collection, Ledger


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'catalogue.db'}")
    yield made
    made.close()


def collection(name: str = "one") -> Collection:
    return Collection("release", "text", name, ("colour", "price"), 0)


async def test_the_first_to_add_a_collection_decides_on_its_name(database: Database) -> None:
    a, b = Ledger(database, "a"), Ledger(database, "b")
    assert await a.find("release", "text") is None
    assert (await a.find_or_add(collection("one"))).name == "one"
    found = await b.find_or_add(collection("two"))
    assert (found.name, list(found.columns)) == ("one", ["colour", "price"])


async def test_one_copy_at_a_time_writes_to_a_collection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = Ledger(database, "a"), Ledger(database, "b")
    made = await a.find_or_add(collection())
    held = await a.hold(made)
    assert held is not None
    await a.advance(replace(held, revision=7))
    assert await b.hold(made) is None
    await b.advance(replace(made, revision=3))
    again = await a.hold(made)
    assert again is not None
    assert again.revision == 7
    monkeypatch.setattr(ledger_module, "HOLD_S", -1.0)
    await a.hold(made)
    # The time is over: whoever comes next goes on where the first one stopped.
    taken = await b.hold(made)
    assert taken is not None
    assert taken.revision == 7


async def test_a_discarded_collection_makes_room_for_another(database: Database) -> None:
    ledger = Ledger(database, "a")
    await ledger.find_or_add(collection("one"))
    await ledger.discard("release")
    assert await ledger.unwanted() == ["one"]
    assert (await ledger.find_or_add(collection("two"))).name == "two"
    await ledger.forget("one")
    assert await ledger.unwanted() == []
    found = await ledger.find("release", "text")
    assert found is not None
    assert found.name == "two"
