"""The user encoder on the real Triton."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import grpc.aio
import numpy as np
import pytest
import torch
from tritonclient.grpc import service_pb2, service_pb2_grpc

from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH
from features.release import Release
from features.tower import TowerInput
from models.tower.config import TowerConfig
from models.tower.serving import ServedTower
from retrieval_service.user_encoder import UserEncoder
from serving.text_encoder import TextEncoder
from tandem_cli.stack.triton import Triton
from tests.support.towers import random_served_tower, write_tower_release
from tests.support.triton import running_triton, stub_of

TIMEOUT_S = 20.0
ATTEMPTS = 8
ITEMS, WIDTH = 50, 12
CONFIG = TowerConfig(ITEMS, WIDTH, EVENT_WIDTH, CONTEXT_WIDTH, width=16)
TOWERS = {name: random_served_tower(CONFIG, seed) for seed, name in enumerate(("first", "second"))}
# Of a vector's greatest component.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    with running_triton(tmp_path_factory.mktemp("log")) as server:
        yield server


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Release]:
    directory = tmp_path_factory.mktemp("releases")
    return {
        name: write_tower_release(directory / name, name, tower) for name, tower in TOWERS.items()
    }


@pytest.fixture
async def encoder(triton: Triton) -> AsyncIterator[UserEncoder]:
    client = UserEncoder(triton.settings.target)
    yield client
    await client.close()


def somebody(seed: int, events: int) -> tuple[TowerInput, np.ndarray]:
    """Return what is known of a user, among it items that no release knows, and text vectors."""
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(1_500_000_000_000, 1_700_000_000_000, events + 1))
    user = TowerInput(
        rows=random.integers(-1, ITEMS, events),
        actions=random.integers(0, 8, events),
        features=random.normal(size=(events, EVENT_WIDTH)).astype(np.float32),
        times_ms=times[:-1],
        next_ms=times[1:],
        context=random.normal(size=CONTEXT_WIDTH).astype(np.float32),
    )
    return user, random.normal(size=(events, WIDTH)).astype(np.float32)


def by_torch(served: ServedTower, user: TowerInput, text_vectors: np.ndarray) -> np.ndarray:
    rows = np.where(user.rows < 0, -1 - np.arange(len(user.rows)), user.rows)
    arrays = (
        *(rows, text_vectors, user.actions, user.features, user.times_ms, user.next_ms),
        user.context,
    )
    lengths = torch.tensor([len(rows)])
    with torch.inference_mode():
        vectors: torch.Tensor = served(*(torch.from_numpy(a)[None] for a in arrays), lengths)
    return vectors[0].numpy()


def assert_same(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, atol=TOLERANCE * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("events", [1, 2, 30, 100])
async def test_a_vector_is_that_of_the_trained_tower(
    encoder: UserEncoder, releases: dict[str, Release], events: int
) -> None:
    for name, served in TOWERS.items():
        user, texts = somebody(events, events)
        vector = await encoder.user_vector(releases[name], user, texts, timeout_s=TIMEOUT_S)
        assert vector.dtype == np.float32
        assert_same(vector, by_torch(served, user, texts))


async def test_concurrent_users_of_two_releases_share_batches_and_get_their_own_vectors(
    triton: Triton, encoder: UserEncoder, releases: dict[str, Release]
) -> None:
    asked = [(("first", "second")[n % 3 == 0], *somebody(n, 1 + n * 7 % 60)) for n in range(150)]
    before = await batches(triton)
    vectors = await asyncio.gather(
        *(
            encoder.user_vector(releases[name], user, texts, timeout_s=TIMEOUT_S)
            for name, user, texts in asked
        )
    )
    assert await batches(triton) - before < 150
    for vector, (name, user, texts) in zip(vectors, asked, strict=True):
        assert_same(vector, by_torch(TOWERS[name], user, texts))


async def batches(triton: Triton) -> int:
    """Return in how many batches Triton handed users over."""
    async with grpc.aio.insecure_channel(triton.settings.target) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        response = await stub.ModelStatistics(
            service_pb2.ModelStatisticsRequest(name="user_encoder")
        )
        return int(response.model_stats[0].execution_count)


async def test_loading_a_release_leaves_requests_for_others_alone(
    encoder: UserEncoder, releases: dict[str, Release], tmp_path: Path
) -> None:
    user, texts = somebody(0, 20)
    first = releases["first"]
    await encoder.user_vector(first, user, texts, timeout_s=TIMEOUT_S)
    overtaken = 0
    # The loading is quick here, and may end before the request after it has begun: not every time.
    for attempt in range(ATTEMPTS):
        other = copied(first, tmp_path / f"other-{attempt}")
        loading = asyncio.ensure_future(
            encoder.user_vector(other, user, texts, timeout_s=TIMEOUT_S)
        )
        await encoder.user_vector(first, user, texts, timeout_s=TIMEOUT_S)
        overtaken += not loading.done()
        assert_same(await loading, by_torch(TOWERS["first"], user, texts))
    assert overtaken


def copied(release: Release, directory: Path) -> Release:
    """Return a copy of a release, under the id that the directory has for a name."""
    shutil.copytree(release.directory, directory)
    text = (directory / "manifest.json").read_text()
    renamed = text.replace(f'"{release.release_id}"', f'"{directory.name}"')
    (directory / "manifest.json").write_text(renamed)
    return Release(directory, {**release.manifest, "release_id": directory.name})


def other_release_id(release: Release) -> Release:
    return Release(release.directory, {**release.manifest, "release_id": "another"})


async def test_a_directory_that_is_not_the_release_is_not_found(
    encoder: UserEncoder, releases: dict[str, Release], tmp_path: Path
) -> None:
    altered = tmp_path / "altered"
    shutil.copytree(releases["first"].directory, altered)
    (altered / "manifest.json").write_text(
        (altered / "manifest.json").read_text().replace('"first"', '"altered"')
    )
    with (altered / "tower" / "user_encoder.bin").open("r+b") as file:
        file.write(b"x")
    user, texts = somebody(0, 3)
    for release, problem in (
        (other_release_id(releases["first"]), "holds first, not another"),
        (Release(altered, {**releases["first"].manifest, "release_id": "altered"}), "its hash"),
        (Release(tmp_path, {**releases["first"].manifest, "release_id": "none"}), "is no release"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await encoder.user_vector(release, user, texts, timeout_s=TIMEOUT_S)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        assert problem in (error.value.details() or "")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rows": np.array([ITEMS, 0])}, "ROWS must be from"),
        ({"actions": np.array([0, 99])}, "ACTIONS must be from 0 to 15"),
        ({"features": np.zeros((2, 1), np.float32)}, "FEATURES has shape"),
        ({"context": np.zeros(1, np.float32)}, "CONTEXT has shape"),
        ({"times_ms": np.zeros(1, np.int64)}, "TIMES_MS has shape"),
    ],
)
async def test_input_that_the_tower_cannot_read_is_refused(
    encoder: UserEncoder, releases: dict[str, Release], change: dict[str, np.ndarray], named: str
) -> None:
    user, texts = somebody(0, 2)
    bad = replace(user, **change)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await encoder.user_vector(releases["first"], bad, texts, timeout_s=TIMEOUT_S)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert named in (error.value.details() or "")
    await encoder.user_vector(releases["first"], user, texts, timeout_s=TIMEOUT_S)


async def test_a_history_beyond_the_towers_reach_is_refused(
    encoder: UserEncoder, releases: dict[str, Release]
) -> None:
    user, texts = somebody(0, 101)
    with pytest.raises(grpc.aio.AioRpcError, match="ROWS has 101 events, not 1 to 100"):
        await encoder.user_vector(releases["first"], user, texts, timeout_s=TIMEOUT_S)


async def test_times_of_any_kind_do_no_harm(
    encoder: UserEncoder, releases: dict[str, Release]
) -> None:
    user, texts = somebody(0, 2)
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    for times, following in (([0, least], [most, most]), ([most, 5], [0, least])):
        hostile = replace(user, times_ms=np.array(times), next_ms=np.array(following))
        vector = await encoder.user_vector(releases["first"], hostile, texts, timeout_s=TIMEOUT_S)
        assert np.isfinite(vector).all()


async def test_a_busy_user_encoder_leaves_the_text_encoder_its_time(
    triton: Triton, encoder: UserEncoder, releases: dict[str, Release]
) -> None:
    text_encoder = TextEncoder(triton.settings.target)
    user, texts = somebody(0, 100)

    async def users() -> None:
        while True:
            await encoder.user_vector(releases["first"], user, texts, timeout_s=TIMEOUT_S)

    busy = [asyncio.ensure_future(users()) for _ in range(2)]
    took_s = []
    for _ in range(30):
        start = time.monotonic()
        await text_encoder.encode(["a film about a quiet harbour"], timeout=TIMEOUT_S)
        took_s.append(time.monotonic() - start)
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    await text_encoder.close()
    assert np.median(took_s) < 0.25


async def die_and_heal(server: Triton, release: Release) -> None:
    client, text_encoder = UserEncoder(server.settings.target), TextEncoder(server.settings.target)
    await client.warm_up(release, TIMEOUT_S)
    os.kill(stub_of(server, "user_encoder"), signal.SIGKILL)
    with pytest.raises(grpc.aio.AioRpcError):
        await client.warm_up(release, TIMEOUT_S)
    assert await text_encoder.ready()
    assert await server.heal() == ["user_encoder"]
    # It knows no release any more, and loads what it is asked for.
    await client.warm_up(release, TIMEOUT_S)
    assert await server.heal() == []
    await client.close()
    await text_encoder.close()


def test_a_user_encoder_whose_process_died_is_loaded_anew(
    tmp_path: Path, releases: dict[str, Release]
) -> None:
    with running_triton(tmp_path) as server:
        asyncio.run(die_and_heal(server, releases["first"]))
