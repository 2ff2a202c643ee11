"""Filters mean the same on real Milvus servers as in memory, whatever is in their values."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.item_attributes import known_attributes
from features.item_filter import predicate
from retrieval_service.filters.checks import check_filter
from retrieval_service.filters.compiler import compile_filter
from retrieval_service.filters.literals import literal
from retrieval_service.index.fields import FLAGS, MORE, scalar_types, scalar_values
from retrieval_service.index.milvus import VECTOR, Milvus
from tandem.v1.filter_pb2 import Filter
from tandem.v1.item_pb2 import Item
from tests.support.filters import SCHEMA, filters, items
from tests.support.milvus import running_milvus_lite

COUNT = 80
# `used` has no column: as an attribute that came into being after the collection did.
COLUMNS = ["colour", "pages", "price"]
KNOWN = known_attributes(SCHEMA)
ONE = np.ones((1, 2), np.float32)


@dataclass
class Collection:
    """A collection of random items, searched with an event loop of its own."""

    items: list[Item]
    milvus: Milvus
    loop: asyncio.AbstractEventLoop

    def found(self, expression: str) -> set[str]:
        search = self.milvus.search("filtered", ONE, expression, COUNT)
        (hits,) = self.loop.run_until_complete(search)
        return {item_id for item_id, _ in hits}


def random_items() -> list[Item]:
    pool = st.tuples(*(items(f"item {n:03}") for n in range(COUNT)))
    # Any example does; the last of many is more varied than the first, which is nearly empty.
    drawn: list[tuple[Item, ...]] = []

    @settings(max_examples=30, database=None, derandomize=True, phases=[Phase.generate])
    @given(pool)
    def draw(made: tuple[Item, ...]) -> None:
        drawn.append(made)

    draw()
    made = list(max(drawn, key=lambda each: len({str(item)[20:] for item in each})))
    for place, item in enumerate(made):
        item.unavailable = place % 10 == 0
    return made


@contextmanager
def filled(uri: str) -> Iterator[Collection]:
    loop = asyncio.new_event_loop()
    milvus = Milvus(uri)
    made = random_items()
    types = scalar_types(SCHEMA, COLUMNS)
    rows = [scalar_values(item, types, COLUMNS) | {VECTOR: ONE[0]} for item in made]

    async def fill() -> None:
        await milvus.create_collection("filtered", 2, types, FLAGS, COUNT)
        await milvus.upsert("filtered", rows)
        await milvus.search("filtered", ONE, "", 1, consistency="Strong")

    loop.run_until_complete(fill())
    yield Collection(made, milvus, loop)
    loop.run_until_complete(milvus.close())
    loop.close()


@pytest.fixture(scope="module", params=["lite", "server"])
def collection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collection]:
    if request.param == "lite":
        directory: Path = tmp_path_factory.mktemp("milvus")
        with running_milvus_lite(directory) as server, filled(server.uri) as made:
            yield made
    else:
        with filled(request.getfixturevalue("milvus_server")) as made:
            yield made


def conditions_of(node: Filter) -> set[str]:
    if node.WhichOneof("node") == "condition":
        return {node.condition.attribute}
    if node.WhichOneof("node") == "not":
        return conditions_of(getattr(node, "not"))
    children = [*node.all_of.filters, *node.any_of.filters]
    return set().union(*(conditions_of(child) for child in children))


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(node=filters)
def test_milvus_lets_through_what_the_evaluator_does(collection: Collection, node: Filter) -> None:
    check_filter("filter", node, KNOWN)
    passes = predicate(node)
    expected = {i.item_id for i in collection.items if not i.unavailable and passes(i)}
    found = collection.found(compile_filter(node, KNOWN, COLUMNS))
    assert expected <= found
    # Only these may let a few more through; the catalogue in memory then shuts them out.
    if not conditions_of(node) & {"categories", "tags", "used"}:
        assert found == expected


def test_items_with_few_categories_are_found_exactly(collection: Collection) -> None:
    few = {i.item_id for i in collection.items if len(i.categories) <= 4}
    for category in ["a", "中文", 'a" or item_id != "']:
        node = Filter()
        node.condition.attribute = "categories"
        node.condition.operator = 1
        node.condition.values.add().string_value = category
        passes = predicate(node)
        expected = {i.item_id for i in collection.items if not i.unavailable and passes(i)}
        found = collection.found(compile_filter(node, KNOWN, COLUMNS))
        assert found & few == expected & few


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(max_size=30))
def test_no_text_gets_out_of_its_literal(collection: Collection, text: str) -> None:
    # Were it to end the literal, the expression would be refused or let something through.
    assert collection.found(f"item_id == {literal('no such item' + text)}") == set()


def test_there_are_items_with_more_categories_and_tags_than_columns(collection: Collection) -> None:
    types = scalar_types(SCHEMA, COLUMNS)
    rows = [scalar_values(item, types, COLUMNS) for item in collection.items]
    assert any(row["categories" + MORE] for row in rows)
    assert any(row["tags" + MORE] for row in rows)
