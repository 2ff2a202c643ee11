"""The ranking service with a release of trees."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc.aio
import pytest

from features.manifest import MANIFEST
from ranking_service.settings import Settings
from tandem.v1 import info_service_pb2
from tests.support.ranking import golden, load, rank, running_ranking
from tests.support.trained import SETTINGS, train_two_tastes


@pytest.fixture(scope="module")
def trees_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("trees")
    return train_two_tastes(directory, settings=replace(SETTINGS, parts="trees"))


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    async with running_ranking(Settings(threads=1)) as channel:
        yield channel


async def test_a_release_of_trees_is_served_as_it_was_trained(
    channel: grpc.aio.Channel, trees_directory: Path
) -> None:
    info = await load(channel, trees_directory)
    assert info.state == info_service_pb2.RELEASE_STATE_READY, info.detail
    logits = set()
    for request, expected in golden(trees_directory):
        answer = await rank(channel, request)
        assert len(answer.items) == len(expected)
        for item in answer.items:
            parts = {part.name: part.logit for part in item.contributions}
            assert "language_model" not in parts
            assert sum(parts.values()) == pytest.approx(expected[item.item_id], abs=1e-3)
            logits.add(round(sum(parts.values()), 3))
            assert 0 <= item.expected_rating <= 6
    assert len(logits) > 2, "the trees tell items apart"
    report = json.loads((trees_directory / MANIFEST).read_text())["metrics"]["leave_one_out"]
    assert report["tandem"]["ndcg@10"]["mean"] > 1.3 * report["popular"]["ndcg@10"]["mean"]


async def test_without_lightgbm_a_release_of_trees_says_what_is_missing(
    channel: grpc.aio.Channel, trees_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    info = await load(channel, trees_directory)
    assert info.state == info_service_pb2.RELEASE_STATE_FAILED
    assert "pip install lightgbm" in info.detail
