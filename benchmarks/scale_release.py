"""A catalogue and a release of made-up items, as the retrieval service reads them, of any size.

What training would compute is drawn at random in the shapes and widths that training gives it. The
tower's weights, which do not grow with the catalogue, are those of an untrained one.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from features.candidates import SOURCES
from features.context import CONTEXT_WIDTH
from features.entities import ItemEntities
from features.events import EVENT_WIDTH
from features.fusion import SourceWeights
from features.item_text import item_text, text_hash
from features.manifest import FORMAT, MANIFEST
from features.neighbours import Neighbours
from features.release import file_sha256
from features.tags import ItemTags
from features.word_index import index_texts
from models.tower.config import TowerConfig
from models.tower.tower import UserTower
from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.records import draft_of
from retrieval_service.catalogue.store import Store
from tandem.v1.item_pb2 import Item
from training.settings import TrainSettings

KINDS = 50
WORDS = ("red", "quiet", "last", "long", "silver", "open", "lost", "green", "third", "far")
TEXT_WIDTH = 384
AT_ONCE = 2_000


def made_up_items(count: int) -> list[Item]:
    """Return items with a title, a category, two tags, a price and a creation time."""
    random = np.random.default_rng(7)
    kinds = random.integers(0, KINDS, count).tolist()
    words = random.integers(0, len(WORDS), (count, 3)).tolist()
    items = []
    for row, (kind, some) in enumerate(zip(kinds, words, strict=True)):
        title = " ".join(WORDS[word] for word in some)
        tags = [WORDS[some[0]], WORDS[some[1]]] if some[0] != some[1] else [WORDS[some[0]]]
        item = Item(item_id=f"i{row}", title=f"{title} {row}", categories=[f"kind {kind}"])
        item.tags.extend(tags)
        item.attributes["price"].double_value = row % 97
        item.create_time.FromSeconds(1_600_000_000 + row)
        items.append(item)
    return items


async def write_catalogue(url: str, items: Sequence[Item]) -> None:
    """Store items as an ingestion leaves them."""
    store = Store(Database(url))
    for start in range(0, len(items), AT_ONCE):
        drafts = [draft_of(item) for item in items[start : start + AT_ONCE]]
        await store.write_batch(drafts, [], "", 0)
    store.close()


def write_release(directory: Path, items: Sequence[Item]) -> None:
    """Write what the retrieval service reads of a release."""
    write_tables(directory, items)
    write_manifest(directory)


def write_tables(directory: Path, items: Sequence[Item]) -> None:
    """Write the arrays of a release, which is none before it has its manifest."""
    (directory / "tower").mkdir(parents=True)
    count, random, settings = len(items), np.random.default_rng(7), TrainSettings()
    popularity = random.pareto(1.5, count).astype(np.float32)
    unknown = np.full(count, np.nan, np.float32)
    texts = [item_text(item) for item in items]
    item_ids = [item.item_id for item in items]
    columns = {
        "item_id": item_ids,
        "text_hash": [text_hash(text) for text in texts],
        "popularity": popularity,
        "recent_popularity": popularity,
        "create_time_ms": np.array([item.create_time.ToMilliseconds() for item in items]),
        "latitude": unknown,
        "longitude": unknown,
        "category": [item.categories[0] for item in items],
        "brand": [""] * count,
    }
    pq.write_table(pa.table(columns), directory / "items.parquet")
    vectors = np.lib.format.open_memmap(
        directory / "text_vectors.npy", "w+", np.float32, (count, TEXT_WIDTH)
    )
    for start in range(0, count, AT_ONCE):
        vectors[start : start + AT_ONCE] = random.standard_normal(
            (min(AT_ONCE, count - start), TEXT_WIDTH), np.float32
        )
    del vectors
    np.save(directory / "text_tokens.npy", np.zeros((count, 0), np.int32))
    factors = random.standard_normal((count, settings.cf_width), np.float32)
    one = np.array(1.0, np.float32)
    save_file(
        {"item_factors": factors, "regularization": one, "alpha": one},
        directory / "cf.safetensors",
    )
    config = TowerConfig(count, TEXT_WIDTH, EVENT_WIDTH, CONTEXT_WIDTH, width=settings.tower_width)
    UserTower(config).save(directory / "tower")
    save_file(
        {
            "item_vectors": random.standard_normal((count, settings.tower_width), np.float32),
            "mean": np.zeros(settings.tower_width, np.float32),
            "projection": np.zeros((TEXT_WIDTH, settings.tower_width), np.float32),
        },
        directory / "tower" / "space.safetensors",
    )
    near = (count, min(settings.neighbours, count))
    rows = random.integers(0, count, near, np.int32)
    Neighbours(rows, random.random(near, np.float32)).save(directory)
    _tags_of(items).save(directory)
    ItemEntities(starts=np.zeros(count + 1, np.int64)).save(directory)
    index_texts(texts).save(directory / "words")
    (directory / "vocabulary.json").write_text(json.dumps({"names": {}, "items": count}))
    (directory / "fallback.json").write_text(json.dumps(item_ids[:1_000]))


def write_manifest(directory: Path) -> None:
    """Make a release of what has been written."""
    settings = TrainSettings()
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    manifest = {
        "format": FORMAT,
        "release_id": directory.name,
        "dataset": {"spec": "", "name": "scale", "fingerprint": "", "repeat": False},
        "encoder": {"version": "none", "dimension": TEXT_WIDTH},
        "models": {},
        "metrics": {},
        "source_weights": SourceWeights(dict.fromkeys(SOURCES, 1.0)).by_name(),
        "senses": {"clock": True, "place": True},
        "spaces": {},
        "friends": True,
        "settings": {"source_depth": settings.source_depth},
        "files": {str(path.relative_to(directory)): file_sha256(path) for path in files},
    }
    (directory / MANIFEST).write_text(json.dumps(manifest))


def _tags_of(items: Sequence[Item]) -> ItemTags:
    """Return the categories and tags of items; none is matched by meaning."""
    rows: dict[str, list[int]] = {}
    for row, name in _named(items):
        rows.setdefault(name, []).append(row)
    return ItemTags(
        names=list(rows),
        vectors=np.zeros((0, TEXT_WIDTH), np.float32),
        unrelated=1.0,
        starts=np.cumsum([0, *map(len, rows.values())]),
        rows=np.array([row for some in rows.values() for row in some], np.int32),
        items=len(items),
    )


def _named(items: Sequence[Item]) -> Iterator[tuple[int, str]]:
    for row, item in enumerate(items):
        for name in (*item.categories, *item.tags):
            yield row, name
