"""The retrieval service while Milvus or Triton is down, and after kill -9."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import numpy as np
import pytest

from features.item_text import item_text
from retrieval_service.index.milvus import Milvus
from serving.errors import DependencyUnavailable
from tandem.v1 import candidate_pb2, info_service_pb2, stage_pb2
from tandem.v1.event_pb2 import ACTION_LIKE, HistoryEvent
from tandem.v1.item_pb2 import Item
from tandem.v1.release_service_pb2 import UnloadReleaseRequest
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tandem.v1.user_pb2 import UserState
from tandem_cli.stack.milvus import MilvusLite
from tandem_cli.stack.ports import free_port
from tandem_cli.stack.services import Service
from tandem_client import AsyncTandemClient
from tests.support.encoder import fake_vector
from tests.support.retrieval import Retrieval, catalogue_items, running_retrieval, write_release

ITEMS = catalogue_items()
USER = UserState(history=[HistoryEvent(item_id="space-03", action=ACTION_LIKE)])
INDEXED = {candidate_pb2.SOURCE_SEMANTIC, candidate_pb2.SOURCE_CF}
IN_MEMORY = {candidate_pb2.SOURCE_SIMILAR, candidate_pb2.SOURCE_POPULAR}


@pytest.fixture
async def milvus(tmp_path: Path) -> AsyncIterator[MilvusLite]:
    server = MilvusLite(tmp_path / "milvus", free_port(), tmp_path / "milvus.log")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def nobody() -> str:
    """An address at which no Triton is."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    vectors = np.stack([fake_vector(item_text(item)) for item in ITEMS])
    directory = tmp_path / "releases" / "topics"
    return write_release(
        directory, "topics", ITEMS, vectors, encoder_version="fake-1", exported=False
    )


@pytest.fixture
async def service(
    tmp_path: Path, milvus: MilvusLite, nobody: str, release: Path
) -> AsyncIterator[Retrieval]:
    async with running_retrieval(tmp_path, milvus.uri, nobody) as running:
        # The release's own vectors make do without an encoder.
        info = await running.load(release)
        assert info.state == info_service_pb2.RELEASE_STATE_READY, info.detail
        await running.client.upsert_items(ITEMS)
        await running.until_indexed("topics")
        yield running


def sources_of(response: RetrieveResponse) -> set[int]:
    return {hit.source for candidate in response.candidates for hit in candidate.hits}


def causes(response: RetrieveResponse) -> dict[int, int]:
    return {stage.stage: stage.cause for stage in response.skipped_stages}


async def until_found_by(service: Retrieval, wanted: set[int], within_s: float) -> float:
    start = time.monotonic()
    request = RetrieveRequest(release_id="topics", user=USER)
    async with asyncio.timeout(within_s):
        while True:
            response = await service.retrieval.Retrieve(request, timeout=0.5)
            assert response.candidates
            if sources_of(response) >= wanted:
                return time.monotonic() - start
            await asyncio.sleep(0.1)


async def test_without_milvus_the_sources_in_memory_serve_and_the_others_come_back(
    service: Retrieval, milvus: MilvusLite
) -> None:
    request = RetrieveRequest(release_id="topics", user=USER)
    assert sources_of(await service.retrieval.Retrieve(request)) == INDEXED | IN_MEMORY
    os.kill(milvus.process.pid, signal.SIGKILL)
    await milvus.stop()
    response = await service.retrieval.Retrieve(request, timeout=1.0)
    assert sources_of(response) == IN_MEMORY
    assert causes(response) == {
        stage_pb2.STAGE_SOURCE_SEMANTIC: stage_pb2.SKIP_CAUSE_UNAVAILABLE,
        stage_pb2.STAGE_SOURCE_CF: stage_pb2.SKIP_CAUSE_UNAVAILABLE,
        stage_pb2.STAGE_SOURCE_SEQUENCE: stage_pb2.SKIP_CAUSE_UNAVAILABLE,
    }
    # What is written meanwhile is indexed later.
    await service.client.delete_items(["space-04"])
    await milvus.start()
    await until_found_by(service, INDEXED, within_s=60.0)
    await service.until_indexed("topics")


async def test_a_milvus_that_hangs_takes_no_more_than_its_share_of_the_time(
    service: Retrieval, milvus: MilvusLite
) -> None:
    os.kill(milvus.process.pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        request = RetrieveRequest(release_id="topics", user=USER)
        response = await service.retrieval.Retrieve(request, timeout=0.6)
        assert time.monotonic() - start < 0.6
        assert sources_of(response) == IN_MEMORY
        assert causes(response) == {
            stage_pb2.STAGE_SOURCE_SEMANTIC: stage_pb2.SKIP_CAUSE_TIMEOUT,
            stage_pb2.STAGE_SOURCE_CF: stage_pb2.SKIP_CAUSE_TIMEOUT,
            stage_pb2.STAGE_SOURCE_SEQUENCE: stage_pb2.SKIP_CAUSE_UNAVAILABLE,  # as Triton is
        }
    finally:
        os.kill(milvus.process.pid, signal.SIGCONT)
    await until_found_by(service, INDEXED, within_s=60.0)


async def test_a_milvus_whose_data_is_lost_is_filled_again(
    service: Retrieval, milvus: MilvusLite, tmp_path: Path
) -> None:
    await milvus.stop()
    (tmp_path / "milvus").rename(tmp_path / "lost")
    await milvus.start()
    await until_found_by(service, INDEXED, within_s=20.0)


async def test_an_index_that_a_kill_left_half_written_is_made_again(
    service: Retrieval, milvus: MilvusLite, tmp_path: Path
) -> None:
    indexes: list[Path] = []
    async with asyncio.timeout(20.0):
        while not indexes:
            await asyncio.sleep(0.1)
            indexes = list((tmp_path / "milvus").rglob("*.idx"))
    await milvus.stop()
    for index in indexes:
        index.write_bytes(b"")
    await milvus.start()
    await until_found_by(service, INDEXED, within_s=60.0)


async def test_without_triton_words_and_sequence_are_skipped_and_flagged(
    service: Retrieval,
) -> None:
    request = RetrieveRequest(release_id="topics", user=USER, text="anything")
    response = await service.retrieval.Retrieve(request, timeout=2.0)
    assert causes(response) == {
        stage_pb2.STAGE_ENCODE: stage_pb2.SKIP_CAUSE_UNAVAILABLE,
        stage_pb2.STAGE_SOURCE_SEQUENCE: stage_pb2.SKIP_CAUSE_UNAVAILABLE,
    }
    assert sources_of(response) == INDEXED | IN_MEMORY
    assert not response.HasField("text_vector")
    assert not response.HasField("user_vector")


async def test_without_triton_an_upsert_of_new_texts_is_refused_as_a_whole(
    service: Retrieval,
) -> None:
    new = Item(item_id="new", title="Nobody has encoded this")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.client.upsert_items([ITEMS[0], new])
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert not (await service.client.get_items(["new"])).items
    dearer = Item()
    dearer.CopyFrom(ITEMS[0])
    dearer.attributes["price"].double_value = 99.0
    assert (await service.client.upsert_items([dearer])).written_count == 1


async def test_a_service_that_starts_while_milvus_is_down_serves_what_it_can(
    service: Retrieval, milvus: MilvusLite, nobody: str, tmp_path: Path, release: Path
) -> None:
    await milvus.stop()
    async with running_retrieval(tmp_path, milvus.uri, nobody) as second:
        info = await second.load(release)
        assert info.state == info_service_pb2.RELEASE_STATE_READY
        request = RetrieveRequest(release_id="topics", user=USER)
        assert sources_of(await second.retrieval.Retrieve(request, timeout=1.0)) == IN_MEMORY
        await milvus.start()
        await until_found_by(second, INDEXED, within_s=10.0)


async def test_what_an_upsert_has_reported_as_stored_survives_kill_9(
    tmp_path: Path, milvus: MilvusLite, nobody: str
) -> None:
    settings = {
        "database_url": f"sqlite:///{tmp_path / 'catalogue.db'}",
        "milvus_uri": milvus.uri,
        "triton_target": nobody,
    }
    process = Service("retrieval", free_port(), settings, tmp_path)
    try:
        await kill_while_writing(process)
    finally:
        await process.stop()


async def kill_while_writing(process: Service) -> None:
    # Without texts, they need no encoder.
    items = [Item(item_id=f"item-{n:05}", language_code="en") for n in range(4_000)]
    reported = 0
    for _ in range(3):
        await process.start()
        async with AsyncTandemClient(process.target) as client:
            upsert = asyncio.ensure_future(
                client.upsert_items(items, upsert_id="import", batch_items=10)
            )
            stop_at = reported + 20
            while reported < stop_at:
                assert not upsert.done()
                progress = await client.get_upsert_progress("import")
                assert progress.batch_number >= reported
                reported = progress.batch_number
            os.kill(process.process.pid, signal.SIGKILL)
            with pytest.raises(grpc.aio.AioRpcError):
                await upsert
        await process.stop()
    await process.start()
    async with AsyncTandemClient(process.target) as client:
        assert (await client.get_upsert_progress("import")).batch_number >= reported
        stored = [item async for item in client.list_items()]
        assert len(stored) % 10 == 0
        assert len(stored) >= reported * 10
        await client.upsert_items(items, upsert_id="import", batch_items=10)
        stored = [item async for item in client.list_items()]
    assert [item.item_id for item in stored] == [item.item_id for item in items]
    assert sorted(item.revision for item in stored) == list(range(1, 4_001))


async def test_collections_of_a_release_unloaded_while_milvus_is_down_are_dropped_later(
    service: Retrieval, milvus: MilvusLite
) -> None:
    await milvus.stop()
    unload = UnloadReleaseRequest(release_id="topics")
    assert (await service.loader.UnloadRelease(unload)).unloaded
    await milvus.start()
    index = Milvus(milvus.uri)
    # Nothing waits for this: it may take a while on a busy machine.
    async with asyncio.timeout(60):
        while await collections_of(index) != set():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await index.close()


async def collections_of(index: Milvus) -> set[str] | None:
    """Return what Milvus holds, None while it does not answer."""
    try:
        return await index.collections()
    except DependencyUnavailable:
        return None
