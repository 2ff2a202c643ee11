"""A small catalogue with planted tastes, a release of it, and a real retrieval service."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from features.entities import ItemEntities
from features.item_text import item_text, text_hash
from features.manifest import FORMAT, MANIFEST
from features.neighbours import Neighbours
from features.release import file_sha256
from features.tags import ItemTags
from models.tower.export import export_tower
from retrieval_service.parts import SERVICES, retrieval_parts
from retrieval_service.settings import Settings
from serving.server import running_server
from tandem.v1 import info_service_pb2
from tandem.v1.catalog_service_pb2_grpc import CatalogServiceStub
from tandem.v1.info_service_pb2 import GetInfoRequest, ReleaseInfo
from tandem.v1.info_service_pb2_grpc import InfoServiceStub
from tandem.v1.item_pb2 import Item
from tandem.v1.release_service_pb2 import LoadReleaseRequest
from tandem.v1.release_service_pb2_grpc import ReleaseLoaderServiceStub
from tandem.v1.retrieval_service_pb2_grpc import RetrievalServiceStub
from tandem_client import AsyncTandemClient
from tandem_client.channel import open_aio_channel
from tests.support.towers import more_of_the_last

Float32 = npt.NDArray[np.float32]
TOPICS = {
    "space": ["rocket", "planet", "astronaut", "galaxy", "orbit", "comet"],
    "kitchen": ["soup", "bread", "oven", "spice", "noodle", "cake"],
    "garden": ["rose", "tulip", "hedge", "lawn", "orchard", "fern"],
}
PER_TOPIC = 24


def catalogue_items() -> list[Item]:
    """Return items of three topics; `price` grows with the number, every fifth is in Chinese."""
    items = []
    for topic, words in TOPICS.items():
        for number in range(PER_TOPIC):
            word, other = words[number % len(words)], words[(number // 6) % len(words)]
            item = Item(
                item_id=f"{topic}-{number:02}",
                title=f"{word} and {other} {number}",
                description=f"A story about the {word}, the {other} and the {topic}.",
                categories=[topic, word],
                tags=[other, f"volume {number}"],
                brand="acme" if number % 2 else "",
                language_code="zh" if number % 5 == 0 else "en",
            )
            item.attributes["price"].double_value = number + 0.5
            item.attributes["pages"].int64_value = 100 + number
            if number % 3 == 0:
                item.attributes["colour"].string_value = "red" if number % 2 else "blue"
            item.create_time.FromSeconds(1_600_000_000 + number * 86_400)
            items.append(item)
    return items


def write_release(
    directory: Path,
    release_id: str,
    items: Sequence[Item],
    vectors: Float32,
    *,
    encoder_version: str,
    repeat: bool = False,
    depth: int = 20,
    exported: bool = True,
    friends: bool = True,
) -> Path:
    """Write a release in which people keep to one topic; items of higher number are less popular.

    vectors: float32 [items, D], the items' text vectors. exported: whether the user encoder can
    serve it, which takes seconds. friends: whether it knows what they are worth. Return
    the directory.
    """
    (directory / "tower").mkdir(parents=True)
    count, random = len(items), np.random.default_rng(7)
    topics = np.array([list(TOPICS).index(item.categories[0]) for item in items])
    popularity = np.array([100.0 - int(item.item_id[-2:]) for item in items], np.float32)
    columns = {
        "item_id": [item.item_id for item in items],
        "text_hash": [text_hash(item_text(item)) for item in items],
        "popularity": popularity,
        "recent_popularity": popularity,
        "create_time_ms": np.array([item.create_time.ToMilliseconds() for item in items]),
        "latitude": np.full(count, np.nan, np.float32),
        "longitude": np.full(count, np.nan, np.float32),
        "category": [item.categories[0] for item in items],
        "brand": [item.brand for item in items],
    }
    pq.write_table(pa.table(columns), directory / "items.parquet")
    np.save(directory / "text_vectors.npy", vectors.astype(np.float32))
    np.save(directory / "text_tokens.npy", np.zeros((count, 0), np.int32))
    factors = np.eye(8, dtype=np.float32)[topics] + random.normal(0, 0.05, (count, 8))
    save_file(
        {
            "item_factors": factors.astype(np.float32),
            "regularization": np.array(0.1, np.float32),
            "alpha": np.array(10.0, np.float32),
        },
        directory / "cf.safetensors",
    )
    _write_tower(directory / "tower", factors.astype(np.float32), vectors.shape[1], exported)
    cosines = (topics[:, None] == topics[None, :]) * random.uniform(0.1, 1.0, (count, count))
    np.fill_diagonal(cosines, 0.0)
    rows = np.argsort(-cosines, axis=1)[:, :15].astype(np.int32)
    scores = np.take_along_axis(cosines, rows, axis=1).astype(np.float32)
    Neighbours(rows, scores).save(directory)
    tags_of(items, vectors.shape[1]).save(directory)
    ItemEntities(starts=np.zeros(count + 1, np.int64)).save(directory)
    vocabulary = {"names": {}, "items": 0}
    (directory / "vocabulary.json").write_text(json.dumps(vocabulary))
    (directory / "fallback.json").write_text(json.dumps(columns["item_id"]))
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    manifest = {
        "format": FORMAT,
        "release_id": release_id,
        "created_at": "2026-01-01T00:00:00+00:00",
        "tandem_version": "0",
        "dataset": {"spec": "", "name": "topics", "fingerprint": "", "repeat": repeat},
        "encoder": {"version": encoder_version, "dimension": vectors.shape[1]},
        "models": {"text_encoder": encoder_version, "ranker": "none", "cf": "planted"},
        "metrics": {},
        "source_weights": {},
        "senses": {"clock": True, "place": True},
        "spaces": {},
        "friends": friends,
        "settings": {"source_depth": depth},
        "files": {str(path.relative_to(directory)): file_sha256(path) for path in files},
    }
    (directory / MANIFEST).write_text(json.dumps(manifest))
    return directory


def tags_of(items: Sequence[Item], width: int) -> ItemTags:
    """Return the tags of items; none is matched by meaning."""
    rows: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        for name in (*item.categories, *item.tags):
            rows.setdefault(name, []).append(row)
    return ItemTags(
        names=list(rows),
        vectors=np.zeros((0, width), np.float32),
        unrelated=1.0,
        starts=np.cumsum([0, *map(len, rows.values())]),
        rows=np.array([row for some in rows.values() for row in some], np.int32),
        items=len(items),
    )


def _write_tower(directory: Path, item_vectors: Float32, text_width: int, exported: bool) -> None:
    served = more_of_the_last(item_vectors, text_width)
    served.tower.save(directory)
    mean = item_vectors.mean(axis=0)
    save_file(
        {
            "item_vectors": item_vectors - mean,
            "mean": mean,
            "projection": np.zeros((text_width, item_vectors.shape[1]), np.float32),
        },
        directory / "space.safetensors",
    )
    if exported:
        export_tower(served, directory)


@dataclass
class Retrieval:
    """A running retrieval service and its stubs."""

    target: str
    client: AsyncTandemClient
    retrieval: RetrievalServiceStub
    catalog: CatalogServiceStub
    loader: ReleaseLoaderServiceStub
    info: InfoServiceStub

    async def release(self, release_id: str) -> ReleaseInfo:
        """Return how far a release is."""
        response = await self.info.GetInfo(GetInfoRequest())
        return next(info for info in response.releases if info.release_id == release_id)

    async def load(self, directory: Path) -> ReleaseInfo:
        """Load a release and wait until it is ready or has failed."""
        request = LoadReleaseRequest(release_uri=str(directory))
        release_id = (await self.loader.LoadRelease(request)).release.release_id
        while True:
            info = await self.release(release_id)
            if info.state != info_service_pb2.RELEASE_STATE_LOADING:
                return info
            await asyncio.sleep(0.05)

    async def until_indexed(self, release_id: str) -> None:
        """Wait until the indexes have caught up with the catalogue."""
        while (await self.release(release_id)).index_lag:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running_retrieval(
    directory: Path, milvus_uri: str, triton_target: str, **more: object
) -> AsyncIterator[Retrieval]:
    """Run a retrieval service in this loop, with its database in a directory.

    Milvus is searched, however few items there are. more: further settings.
    """
    settings = Settings(
        database_url=f"sqlite:///{directory / 'catalogue.db'}",
        milvus_uri=milvus_uri,
        triton_target=triton_target,
        follow_interval_s=0.05,
        index_interval_s=0.1,
        **{"exact_items_max": 0, **more},  # type: ignore[arg-type]
    )
    async with running_server("127.0.0.1", 0, SERVICES, retrieval_parts(settings)) as port:
        target = f"127.0.0.1:{port}"
        channel: grpc.aio.Channel = open_aio_channel(target)
        async with AsyncTandemClient(target) as client:
            yield Retrieval(
                target,
                client,
                RetrievalServiceStub(channel),
                CatalogServiceStub(channel),
                ReleaseLoaderServiceStub(channel),
                InfoServiceStub(channel),
            )
        await channel.close(None)
