"""Images of items through the real Triton: into the catalogue, and into a data set."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import numpy as np
import pandas as pd
import pytest
import pytest_asyncio
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from tandem.v1.item_pb2 import Item
from tandem_cli.__main__ import app
from tandem_cli.encoders import prepare_image_tower
from tests.support.image_encoding import encoder, picture
from tests.support.milvus import running_milvus_lite
from tests.support.retrieval import Retrieval, running_retrieval
from tests.support.tiny_tower import write_tiny_tower
from tests.support.triton import running_triton

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tower")
    return prepare_image_tower(write_tiny_tower(root / "tiny"), root / "encoders")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, tower: Path) -> Iterator[tuple[str, str]]:
    directory = tmp_path_factory.mktemp("parts")
    with (
        running_milvus_lite(directory) as milvus,
        running_triton(directory, image_encoder_dir=tower) as triton,
    ):
        yield milvus.uri, triton.settings.target


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(database: Path, parts: tuple[str, str]) -> AsyncIterator[Retrieval]:
    async with running_retrieval(database, *parts) as running:
        yield running


def expected(tower: Path, *images: bytes) -> np.ndarray:
    loaded = encoder.ImageEncoder.load({"encoder_dir": str(tower)}, "cpu")
    return loaded.encode(images)[0]


def kept_vectors(database: Path) -> list[np.ndarray]:
    file = next(database.rglob("*.db"))
    with create_engine(f"sqlite:///{file}").connect() as connection:
        rows = connection.execute(
            text("SELECT vector FROM vectors WHERE encoder_version = 'media:look'")
        )
        return [np.frombuffer(row.vector, "<f4") for row in rows]


async def test_the_catalogue_computes_the_vectors_of_images(
    service: Retrieval, database: Path, tower: Path
) -> None:
    image = picture(5, kind="JPEG")
    done = await service.client.upsert_items([Item(item_id="seen", images={"look": image})])
    assert done.written_count == 1
    [kept] = kept_vectors(database)
    assert float(kept @ expected(tower, image)[0]) > 0.999
    again = await service.client.upsert_items([Item(item_id="seen", images={"look": image})])
    assert (again.written_count, again.unchanged_count) == (0, 1)
    [stored] = (await service.client.get_items(["seen"])).items
    assert not stored.images


@pytest.mark.parametrize(
    ("images", "vectors", "problem"),
    [
        ({"look": b"no image"}, [], "no image that can be read"),
        ({"look": b""}, [], "must have 1 to"),
        ({"text": picture(1)}, [], "must match"),
        ({"look": picture(1)}, ["look"], "has a vector already"),
    ],
)
async def test_what_is_wrong_with_images_is_told(
    service: Retrieval, images: dict[str, bytes], vectors: list[str], problem: str
) -> None:
    item = Item(item_id="wrong", images=images)
    for space in vectors:
        item.vectors[space].float32_values = np.ones(16, "<f4").tobytes()
    with pytest.raises(grpc.aio.AioRpcError, match=problem) as refused:
        await service.client.upsert_items([item])
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_data_set_gets_the_vectors_of_its_images(
    tmp_path: Path, parts: tuple[str, str], tower: Path
) -> None:
    (tmp_path / "images").mkdir()
    rows = [("a", "images/1.png"), ("a", "images/2.png"), ("b", "images/3.png")]
    for number, (_, file) in enumerate(rows, start=1):
        (tmp_path / file).write_bytes(picture(number))
    rows += [("c", "images/none.png"), ("d", "../outside.png")]
    (tmp_path.parent / "outside.png").write_bytes(picture(9))
    pd.DataFrame(rows, columns=["item_id", "file"]).to_csv(tmp_path / "images.csv", index=False)
    command = ["images", "encode", str(tmp_path), "--space", "look", "--target", parts[1]]
    done = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert done.exit_code == 0, done.output
    assert "2 of 5 images" in done.output
    written = pd.read_parquet(tmp_path / "vectors-look.parquet").set_index("item_id")
    assert list(written.index) == ["a", "b"]
    one, two, three = expected(tower, *(picture(number) for number in (1, 2, 3)))
    mean = (one + two) / np.linalg.norm(one + two)
    assert float(np.asarray(written.loc["a", "vector"]) @ mean) > 0.999
    assert float(np.asarray(written.loc["b", "vector"]) @ three) > 0.999
