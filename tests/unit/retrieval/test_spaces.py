"""Which vector an item has in each space of a release."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from features.item_text import item_text, text_hash
from features.release import Release, open_release
from features.tower import TowerSpace
from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.media_vectors import MediaVectors
from retrieval_service.catalogue.records import Change
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.encoder import Encoder
from retrieval_service.index.spaces import TOWER, Space, spaces_of
from tandem.v1.item_pb2 import Item
from tests.support.encoder import DIMENSION, FakeTextEncoder, fake_vector
from tests.support.retrieval import catalogue_items, write_release

ITEMS = catalogue_items()[:12]
WIDTH = 8


@pytest.fixture
def release(tmp_path: Path) -> Release:
    vectors = np.stack([fake_vector(item_text(item)) for item in ITEMS])
    opened = open_release(
        write_release(tmp_path / "r", "r", ITEMS, vectors, encoder_version="fake-1", exported=False)
    )
    random = np.random.default_rng(0)
    projection = random.normal(size=(DIMENSION, WIDTH)).astype(np.float32)
    opened.__dict__["tower"] = TowerSpace(opened.tower.item_vectors, opened.tower.mean, projection)
    return opened


@pytest.fixture
def encoder() -> FakeTextEncoder:
    return FakeTextEncoder()


@pytest.fixture
def tower(release: Release, encoder: FakeTextEncoder, tmp_path: Path) -> Iterator[Space]:
    store = Store(Database(f"sqlite:///{tmp_path / 'catalogue.db'}"))
    vectors = Vectors(store, Encoder(encoder, 10.0))  # type: ignore[arg-type]
    vectors.add_release(release)
    yield next(
        space for space in spaces_of(release, vectors, MediaVectors(store)) if space.name == TOWER
    )
    store.close()


def change(item: Item) -> Change:
    return Change(item.item_id, 1, text_hash(item_text(item)), item)


async def test_an_item_of_the_release_has_its_own_vector_whatever_its_text_says_now(
    release: Release, encoder: FakeTextEncoder, tower: Space
) -> None:
    changed = Item(item_id=ITEMS[3].item_id, title="Another title by now")
    encoder.down = True
    found = await tower.vectors_of([change(ITEMS[5]), change(changed)])
    assert tower.dimension == WIDTH
    np.testing.assert_array_equal(found[ITEMS[5].item_id], release.tower.item_vectors[5])
    np.testing.assert_array_equal(found[ITEMS[3].item_id], release.tower.item_vectors[3])


async def test_a_new_item_has_the_projection_of_its_text_less_the_mean(
    release: Release, tower: Space
) -> None:
    new = Item(item_id="new", title="Sourdough bread")
    wordless = Item(item_id="wordless")
    gone = Change("gone", 2, "", None)
    found = await tower.vectors_of([change(ITEMS[0]), change(new), change(wordless), gone])
    assert set(found) == {ITEMS[0].item_id, "new"}
    expected = fake_vector(item_text(new)) @ release.tower.projection - release.tower.mean
    np.testing.assert_allclose(found["new"], expected, atol=1e-6)
