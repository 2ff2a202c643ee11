"""The catalogue of record on a real SQLite file."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from features.policy import NO_POLICY, Policy
from retrieval_service.catalogue.catalogue import Catalogue
from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.images import Images
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.catalogue.view import View
from retrieval_service.encoder import Encoder
from serving.errors import DependencyUnavailable, InvalidField, StorageUnavailable
from tandem.v1.catalog_service_pb2 import UpsertItemsRequest, UpsertItemsResponse
from tandem.v1.item_pb2 import Item
from tests.support.encoder import FakeImageEncoder, FakeTextEncoder


@dataclass
class Parts:
    store: Store
    view: View
    catalogue: Catalogue
    encoder: FakeTextEncoder
    images: FakeImageEncoder

    async def upsert(
        self, *items: Item, upsert_id: str = "", number: int = 0
    ) -> UpsertItemsResponse:
        batch = UpsertItemsRequest(items=items, upsert_id=upsert_id, batch_number=number)
        return await self.catalogue.upsert(stream([batch]))


async def stream(batches: Sequence[UpsertItemsRequest]) -> AsyncIterator[UpsertItemsRequest]:
    for batch in batches:
        yield batch


def open_parts(path: Path) -> Parts:
    store = Store(Database(f"sqlite:///{path}"))
    view, encoder = View(store), FakeTextEncoder()
    vectors = Vectors(store, Encoder(encoder, 10.0))  # type: ignore[arg-type]
    image_encoder = FakeImageEncoder()
    images = Images(store, image_encoder, 10.0)  # type: ignore[arg-type]
    catalogue = Catalogue(store, vectors, images, view)
    return Parts(store, view, catalogue, encoder, image_encoder)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    made = open_parts(tmp_path / "catalogue.db")
    yield made
    made.store.close()


def item(item_id: str, title: str = "A title", **attributes: float) -> Item:
    made = Item(item_id=item_id, title=title)
    for name, value in attributes.items():
        made.attributes[name].double_value = value
    return made


async def test_each_changed_item_takes_one_revision_and_an_unchanged_one_takes_none(
    parts: Parts,
) -> None:
    first = await parts.upsert(item("a"), item("b"))
    assert (first.written_count, first.unchanged_count, first.revision) == (2, 0, 2)
    again = await parts.upsert(item("a"), item("b", "Another title"))
    assert (again.written_count, again.unchanged_count, again.revision) == (1, 1, 3)
    stored = await parts.catalogue.get(["b", "nothing", "a"])
    assert [(i.item_id, i.title, i.revision) for i in stored] == [
        ("b", "Another title", 3),
        ("a", "A title", 1),
    ]


async def test_the_revision_and_the_order_of_attributes_in_a_request_do_not_matter(
    parts: Parts,
) -> None:
    await parts.upsert(item("a", x=1.0, y=2.0))
    same = item("a", y=2.0, x=1.0)
    same.revision = 77
    response = await parts.upsert(same)
    assert (response.written_count, response.revision) == (0, 1)


async def test_the_last_of_equal_ids_in_a_batch_counts(parts: Parts) -> None:
    response = await parts.upsert(item("a", "first"), item("b"), item("a", "last"))
    assert response.written_count == 2
    assert (await parts.catalogue.get(["a"]))[0].title == "last"


async def test_a_deleted_item_is_gone_and_can_come_back(parts: Parts) -> None:
    await parts.upsert(item("a"), item("b"))
    response = await parts.catalogue.delete(["a", "unknown"])
    assert (response.deleted_count, response.revision) == (1, 3)
    assert await parts.catalogue.get(["a"]) == []
    assert list(parts.view.entries) == ["b"]
    assert (await parts.catalogue.delete(["a"])).revision == 3
    back = await parts.upsert(item("a"))
    assert (back.written_count, back.revision) == (1, 4)


async def test_pages_follow_each_other_in_the_order_of_ids(parts: Parts) -> None:
    await parts.upsert(*(item(f"{n:02}") for n in reversed(range(25))))
    await parts.catalogue.delete(["03"])
    seen, token = [], ""
    while True:
        page = await parts.catalogue.page(10, token)
        assert page.total_count == 24
        seen += [i.item_id for i in page.items]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"{n:02}" for n in range(25) if n != 3]


async def test_only_new_texts_are_encoded(parts: Parts) -> None:
    await parts.upsert(item("a", "one"), item("b", "two"))
    await parts.upsert(item("a", "one", price=3.0), item("c", "two"), item("d", ""))
    assert parts.encoder.texts == ["one", "two"]


async def test_texts_that_were_cut_are_counted(parts: Parts) -> None:
    long = "word " * 100
    assert (await parts.upsert(item("a", long), item("b"))).truncated_text_count == 1
    assert (await parts.upsert(item("a", long, price=1.0))).truncated_text_count == 1


async def test_nothing_is_stored_of_a_batch_that_cannot_be_encoded(parts: Parts) -> None:
    parts.encoder.down = True
    with pytest.raises(DependencyUnavailable, match="text_encoder"):
        await parts.upsert(item("a"), upsert_id="u", number=1)
    assert await parts.catalogue.get(["a"]) == []
    assert await parts.catalogue.progress("u") == 0


async def test_an_invalid_item_is_named_and_batches_before_it_stay(parts: Parts) -> None:
    bad = item("bad")
    bad.place.latitude = float("nan")
    batches = [UpsertItemsRequest(items=[item("a")]), UpsertItemsRequest(items=[item("b"), bad])]
    with pytest.raises(InvalidField) as raised:
        await parts.catalogue.upsert(stream(batches))
    assert raised.value.field == "items[1].place.latitude"
    assert "'bad'" in raised.value.problem
    assert [i.item_id for i in await parts.catalogue.get(["a", "b"])] == ["a"]


def one_batch(number: int, *items: Item) -> UpsertItemsRequest:
    return UpsertItemsRequest(items=items, upsert_id="u", batch_number=number)


async def until(parts: Parts, progress: int) -> None:
    async with asyncio.timeout(10):
        while await parts.catalogue.progress("u") < progress:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_batch_is_on_disk_while_the_caller_still_thinks_about_the_next(
    parts: Parts,
) -> None:
    more = asyncio.Event()

    async def batches() -> AsyncIterator[UpsertItemsRequest]:
        yield one_batch(1, item("a"))
        await more.wait()
        yield one_batch(2, item("b"))

    call = asyncio.create_task(parts.catalogue.upsert(batches()))
    await until(parts, 1)
    more.set()
    assert (await call).written_count == 2
    assert await parts.catalogue.progress("u") == 2


async def test_later_batches_are_encoded_meanwhile_but_stored_in_their_turn(parts: Parts) -> None:
    parts.encoder.held.add("slow")
    batches = [one_batch(1, item("a", "slow"))]
    batches += [one_batch(number, item(f"b{number}", f"t{number}")) for number in range(2, 9)]
    call = asyncio.create_task(parts.catalogue.upsert(stream(batches)))
    async with asyncio.timeout(10):
        while len(parts.encoder.texts) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    # Not the whole stream is read ahead.
    assert sorted(parts.encoder.texts) == ["slow", "t2", "t3"]
    assert await parts.catalogue.progress("u") == 0
    parts.encoder.release.set()
    response = await call
    assert response.written_count == 8
    assert await parts.catalogue.progress("u") == 8
    revisions = [i.revision for i in await parts.catalogue.get(["a", "b2", "b8"])]
    assert revisions == sorted(revisions)


async def test_the_last_of_two_batches_with_the_same_item_wins(parts: Parts) -> None:
    for title in ("one", "two"):
        await parts.upsert(item("a", title))
    parts.encoder.held.add("three")
    parts.encoder.release.set()
    call = parts.catalogue.upsert(
        stream([one_batch(1, item("a", "three")), one_batch(2, item("a", "two"))])
    )
    assert (await call).written_count == 2
    assert (await parts.catalogue.get(["a"]))[0].title == "two"


async def test_a_batch_that_fails_ends_a_call_whose_caller_sends_no_more(parts: Parts) -> None:
    async def batches() -> AsyncIterator[UpsertItemsRequest]:
        yield one_batch(1, item("a"))
        yield one_batch(2, item(""))
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        with pytest.raises(InvalidField, match="item_id"):
            await parts.catalogue.upsert(batches())
    assert await parts.catalogue.progress("u") == 1


async def test_an_attribute_keeps_its_type_across_the_catalogue(parts: Parts) -> None:
    await parts.upsert(item("a", price=1.0))
    other = Item(item_id="b")
    other.attributes["price"].string_value = "cheap"
    with pytest.raises(InvalidField, match=r"price.*must be double.*is string.*'b'"):
        await parts.upsert(item("c"), other)
    assert await parts.catalogue.get(["b", "c"]) == []
    assert parts.view.schema == {"price": "double"}


async def test_a_broken_upsert_is_resumed_where_it_stopped(parts: Parts) -> None:
    await parts.upsert(item("a"), upsert_id="import", number=1)
    await parts.upsert(item("b"), upsert_id="import", number=2)
    assert await parts.catalogue.progress("import") == 2
    again = await parts.upsert(item("a", "not looked at"), upsert_id="import", number=1)
    assert (again.written_count, again.unchanged_count, again.revision) == (0, 0, 2)
    assert await parts.catalogue.progress("another") == 0
    with pytest.raises(InvalidField, match="batch_number"):
        await parts.upsert(item("a"), upsert_id="import", number=0)


async def test_what_was_stored_is_there_after_a_restart(parts: Parts, tmp_path: Path) -> None:
    await parts.upsert(item("a", price=1.0), upsert_id="u", number=3)
    await parts.catalogue.delete(["a"])
    await parts.upsert(item("b"))
    again = open_parts(tmp_path / "catalogue.db")
    await again.view.refresh()
    assert list(again.view.entries) == ["b"]
    assert again.view.schema == {"price": "double"}
    assert (again.view.revision, await again.catalogue.progress("u")) == (3, 3)
    again.store.close()


async def test_copies_of_the_service_see_what_the_others_write(
    parts: Parts, tmp_path: Path
) -> None:
    other = open_parts(tmp_path / "catalogue.db")
    told = []
    other.view.on_change(lambda: told.append(other.view.revision))
    await parts.upsert(item("a"), item("b"))
    await other.view.refresh()
    assert set(other.view.entries) == {"a", "b"}
    await other.catalogue.delete(["a"])
    await parts.view.refresh()
    assert set(parts.view.entries) == {"b"}
    await other.view.refresh()
    assert told == [2, 3]
    other.store.close()


def test_a_database_that_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable):
        Database(f"sqlite:///{tmp_path / 'file' / 'catalogue.db'}")
    with pytest.raises(StorageUnavailable, match="no database URL"):
        Database("nonsense")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda i: setattr(i, "item_id", ""), "item_id"),
        (lambda i: setattr(i, "item_id", "x" * 257), "item_id"),
        (lambda i: setattr(i, "item_id", "a\nb"), "item_id"),
        (lambda i: setattr(i, "title", "x" * 1_025), "title"),
        (lambda i: setattr(i, "description", "x" * 65_537), "description"),
        (lambda i: i.categories.extend(["c"] * 33), "categories"),
        (lambda i: i.tags.extend(["x" * 257]), "tags"),
        (lambda i: setattr(i, "language_code", "not a code"), "language_code"),
        (lambda i: i.create_time.FromSeconds(253_000_000_000), "create_time"),
        (lambda i: setattr(i.place, "longitude", 181.0), "place.longitude"),
        (lambda i: setattr(i.attributes["Name"], "bool_value", True), "attributes"),
        (lambda i: setattr(i.attributes["brand"], "string_value", "x"), "attributes"),
        (lambda i: setattr(i.attributes["n"], "double_value", float("inf")), "attributes[n]"),
        (lambda i: setattr(i.attributes["n"], "int64_value", -(2**63)), "attributes[n]"),
        (lambda i: i.attributes["n"].SetInParent(), "attributes[n]"),
    ],
)
async def test_an_item_out_of_bounds_is_refused(parts: Parts, change: object, field: str) -> None:
    bad = item("bad")
    change(bad)  # type: ignore[operator]
    with pytest.raises(InvalidField) as raised:
        await parts.upsert(bad)
    assert raised.value.field == f"items[0].{field}"


@pytest.mark.parametrize("count", [0, 501])
async def test_a_batch_has_1_to_500_items(parts: Parts, count: int) -> None:
    with pytest.raises(InvalidField, match="items"):
        await parts.upsert(*(item(str(n)) for n in range(count)))


def of_kind(item_id: str, tag: str, description: str = "") -> Item:
    return Item(item_id=item_id, title="A title", tags=[tag], description=description)


async def test_the_view_judges_what_is_written_and_forgets_what_is_deleted(parts: Parts) -> None:
    policy = Policy(digest="x", tags=frozenset({"gore"}), words=("hidden weapon",))
    await parts.view.enforce(policy)
    await parts.upsert(
        of_kind("a", "gore"), of_kind("b", "calm"), of_kind("c", "calm", "It has a hidden weapon.")
    )
    assert {i: v.rule for i, v in parts.view.verdicts.items()} == {
        "a": "block.tags 'gore'",
        "c": "block.words 'hidden weapon'",
    }
    await parts.upsert(of_kind("a", "calm"), of_kind("b", "gore"))
    await parts.catalogue.delete(["c"])
    assert set(parts.view.verdicts) == {"b"}


async def test_another_policy_judges_the_whole_catalogue_at_once(parts: Parts) -> None:
    await parts.upsert(*(of_kind(str(n), "gore", "a weapon" if n % 2 else "") for n in range(40)))
    assert not parts.view.verdicts
    await parts.view.enforce(Policy(digest="x", words=("weapon",)))
    assert set(parts.view.verdicts) == {str(n) for n in range(1, 40, 2)}
    await parts.view.enforce(NO_POLICY)
    assert not parts.view.verdicts


async def test_an_image_is_encoded_once_and_its_vector_is_kept(parts: Parts) -> None:
    images = parts.images
    await parts.upsert(Item(item_id="a", images={"look": b"1"}))
    first = (await parts.store.changes(0, 10))[0].item
    await parts.upsert(Item(item_id="a", images={"look": b"1"}), Item(item_id="b"))
    await parts.upsert(Item(item_id="b", images={"look": b"1", "cover": b"2"}))
    assert images.images == [b"1", b"2"]
    second = next(c.item for c in await parts.store.changes(0, 10) if c.item_id == "b")
    assert first is not None
    assert second is not None
    assert not second.images
    assert second.vectors["look"] == first.vectors["look"] != second.vectors["cover"]


async def test_images_without_an_image_encoder_are_refused_and_nothing_is_stored(
    parts: Parts,
) -> None:
    parts.images.down = True
    with pytest.raises(DependencyUnavailable, match="image_encoder"):
        await parts.upsert(item("plain"), Item(item_id="a", images={"look": b"1"}))
    assert not await parts.catalogue.get(["plain", "a"])


async def test_pages_have_vectors_where_they_are_asked_for(parts: Parts) -> None:
    bringing = item("a")
    bringing.vectors["sound"].float32_values = np.array([0, 2], "<f4").tobytes()
    await parts.upsert(bringing, item("b"))
    without = await parts.catalogue.page(10, "")
    assert not any(one.vectors for one in without.items)
    page = await parts.catalogue.page(1_000, "", with_vectors=True)
    vectors = {one.item_id: dict(one.vectors) for one in page.items}
    assert list(vectors["a"]) == ["sound"]
    assert np.frombuffer(vectors["a"]["sound"].float32_values, "<f4").tolist() == [0, 1]
    assert not vectors["b"]
