"""What the ranking service refuses: releases, bad input, a GPU that is not there."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
import torch

from features.manifest import MANIFEST
from features.release import file_sha256
from ranking_service.settings import Settings
from serving.server import StartFailed
from tandem.v1 import info_service_pb2, release_service_pb2_grpc
from tandem.v1.common_pb2 import Vector
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.release_service_pb2 import UnloadReleaseRequest
from tandem.v1.variety_pb2 import Variety
from tandem_client.errors import reason_of
from tests.support.ranking import golden, load, rank, running_ranking


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    async with running_ranking(Settings(threads=1)) as channel:
        yield channel


async def test_a_gpu_that_is_not_there_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StartFailed, match="TANDEM_RANKING_DEVICE is cuda, but torch finds no GPU"):
        async with running_ranking(Settings(device="cuda")):
            pass


async def test_a_release_that_is_not_loaded_is_a_version_mismatch(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    request = golden(release_directory)[0][0]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rank(channel, request)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(caught.value)[1] == {"release_id": request.release_id}


async def test_an_unloaded_release_is_gone(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    info = await load(channel, release_directory)
    loader = release_service_pb2_grpc.ReleaseLoaderServiceStub(channel)
    assert (await loader.UnloadRelease(UnloadReleaseRequest(release_id=info.release_id))).unloaded
    with pytest.raises(grpc.aio.AioRpcError, match="FAILED_PRECONDITION"):
        await rank(channel, golden(release_directory)[0][0])


async def test_a_release_whose_scores_cannot_be_reproduced_is_refused(
    channel: grpc.aio.Channel, release_directory: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(release_directory, broken)
    lines = [json.loads(line) for line in (broken / "golden.jsonl").read_text().splitlines()]
    for name in lines[0]["engage_logits"]:
        lines[0]["engage_logits"][name] += 1.0
    (broken / "golden.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    manifest = json.loads((broken / MANIFEST).read_text())
    manifest["files"]["golden.jsonl"] = file_sha256(broken / "golden.jsonl")
    (broken / MANIFEST).write_text(json.dumps(manifest))
    info = await load(channel, broken)
    assert info.state == info_service_pb2.RELEASE_STATE_FAILED
    assert "cannot be reproduced" in info.detail


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"release_id": ""}, "release_id"),
        ({"item_count": -1}, "item_count"),
        ({"item_count": 1_000_000_000}, "item_count"),
        ({"candidates": []}, "candidates"),
        ({"text_vector": Vector(float32_values=b"123")}, "text_vector.float32_values"),
        ({"user_vector": Vector(float32_values=bytes(8))}, "user_vector.float32_values"),
        ({"variety": Variety(diversity=2.0)}, "variety.diversity"),
        ({"variety": Variety(category_max=501)}, "variety.category_max"),
    ],
)
async def test_bad_input_is_refused_by_field(
    channel: grpc.aio.Channel, release_directory: Path, change: dict[str, object], field: str
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[0][0]
    for name in change:
        request.ClearField(name)  # type: ignore[arg-type]
    request.MergeFrom(RankRequest(**change))  # type: ignore[arg-type]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rank(channel, request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(caught.value)[1]["field"] == field
