"""Small catalogues are searched in memory: as Milvus would, and where it is down."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from features.item_text import item_text
from tandem.v1 import filter_pb2, stage_pb2
from tandem.v1.event_pb2 import ACTION_LIKE, HistoryEvent
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tandem.v1.user_pb2 import UserState
from tandem_cli.stack.milvus import MilvusLite
from tandem_cli.stack.ports import free_port
from tests.support.encoder import fake_vector
from tests.support.retrieval import catalogue_items, running_retrieval, write_release

ITEMS = catalogue_items()
USER = UserState(history=[HistoryEvent(item_id="space-03", action=ACTION_LIKE)])
PLAIN = RetrieveRequest(release_id="topics", user=USER)
RED = Filter(
    condition=Condition(
        attribute="colour",
        operator=filter_pb2.OPERATOR_EQUAL,
        values=[AttributeValue(string_value="red")],
    )
)
FILTERED = RetrieveRequest(release_id="topics", user=USER, filter=RED)
# There is no Triton here.
WITHOUT_TRITON = {stage_pb2.STAGE_SOURCE_SEQUENCE}


@pytest.fixture
async def milvus(tmp_path: Path) -> AsyncIterator[MilvusLite]:
    server = MilvusLite(tmp_path / "milvus", free_port(), tmp_path / "milvus.log")
    await server.start()
    yield server
    await server.stop()


def hits(response: RetrieveResponse) -> dict[str, list[tuple[int, int, float]]]:
    return {
        candidate.item_id: [(hit.source, hit.rank, round(hit.score, 3)) for hit in candidate.hits]
        for candidate in response.candidates
    }


async def test_memory_answers_as_milvus_does_follows_changes_and_leaves_filters_to_it(
    tmp_path: Path, milvus: MilvusLite
) -> None:
    vectors = np.stack([fake_vector(item_text(item)) for item in ITEMS])
    directory = write_release(
        tmp_path / "topics", "topics", ITEMS, vectors, encoder_version="fake-1", exported=False
    )
    nobody = f"127.0.0.1:{free_port()}"
    own = (tmp_path, milvus.uri, nobody)
    async with (
        running_retrieval(*own) as asking,
        # By its port the index tells this copy of the service from the other.
        running_retrieval(*own, exact_items_max=1_000, port=50_099) as remembering,
    ):
        for service in (asking, remembering):
            await service.load(directory)
        await asking.client.upsert_items(ITEMS)
        for service in (asking, remembering):
            await service.until_indexed("topics")
        first = hits(await remembering.retrieval.Retrieve(PLAIN))
        assert first
        assert first == hits(await asking.retrieval.Retrieve(PLAIN))

        # What changes in the catalogue, through another copy of the service, changes in memory.
        gone = next(iter(first))
        unavailable = Item()
        unavailable.CopyFrom(next(item for item in ITEMS if item.item_id == list(first)[1]))
        unavailable.unavailable = True
        await asking.client.delete_items([gone])
        await asking.client.upsert_items([unavailable])
        async with asyncio.timeout(20):
            while {gone, unavailable.item_id} & set(  # noqa: ASYNC110
                hits(await remembering.retrieval.Retrieve(PLAIN))
            ):
                await asyncio.sleep(0.05)
        for service in (asking, remembering):
            await service.until_indexed("topics")
        changed = hits(await remembering.retrieval.Retrieve(PLAIN))
        assert changed == hits(await asking.retrieval.Retrieve(PLAIN))
        assert hits(await remembering.retrieval.Retrieve(FILTERED)) == hits(
            await asking.retrieval.Retrieve(FILTERED)
        )

        os.kill(milvus.process.pid, signal.SIGKILL)
        await milvus.stop()
        plain = await remembering.retrieval.Retrieve(PLAIN, timeout=2.0)
        assert hits(plain) == changed
        assert {stage.stage for stage in plain.skipped_stages} == WITHOUT_TRITON
        filtered = await remembering.retrieval.Retrieve(FILTERED, timeout=2.0)
        assert {stage.stage for stage in filtered.skipped_stages} == {
            stage_pb2.STAGE_SOURCE_SEMANTIC,
            stage_pb2.STAGE_SOURCE_CF,
            *WITHOUT_TRITON,
        }
