"""The text encoder on the real Triton."""

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import grpc.aio
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tritonclient.grpc import service_pb2, service_pb2_grpc
from typer.testing import CliRunner

from serving.text_encoder import TextEncoder
from tandem_cli.__main__ import app
from tandem_cli.encoder_conversion import load_pooled_encoder
from tandem_cli.stack.ports import PortInUse
from tandem_cli.stack.record import Part, StackRecord, start_ticks, write_record
from tandem_cli.stack.triton import Triton, TritonSettings
from tests.support.triton import prepared_encoder, running_triton

TIMEOUT_S = 20.0
WORDS = ["quiet", "harbour", "安静", "的", "书店", "science", "fiction", "für", "Kinder", "12"]


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    with running_triton(tmp_path_factory.mktemp("log")) as server:
        yield server


@pytest.fixture
async def encoder(triton: Triton) -> AsyncIterator[TextEncoder]:
    client = TextEncoder(triton.settings.target)
    yield client
    await client.close()


def texts_of_mixed_lengths(count: int) -> list[str]:
    random = np.random.default_rng(7)
    return [" ".join(random.choice(WORDS, size=random.integers(1, 60))) for _ in range(count)]


def torch_embeddings(texts: list[str]) -> np.ndarray:
    directory = prepared_encoder()
    about = json.loads((directory / "encoder.json").read_text())
    model = load_pooled_encoder(directory, about["pooling"])
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(about["max_tokens"])
    rows = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more would wait for each other wherever the machine is busy
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            rows.append(model(ids, torch.ones_like(ids)).numpy()[0])
    torch.set_num_threads(threads)
    return np.stack(rows)


async def statistics(triton: Triton) -> tuple[int, int]:
    """Return how many rows were encoded in how many batches."""
    async with grpc.aio.insecure_channel(triton.settings.target) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        request = service_pb2.ModelStatisticsRequest(name="text_encoder")
        response = await stub.ModelStatistics(request)
        return response.model_stats[0].inference_count, response.model_stats[0].execution_count


async def test_vectors_are_those_of_torch_in_full_precision(encoder: TextEncoder) -> None:
    texts = ["", *texts_of_mixed_lengths(66), "适合周末和孩子一起去的安静书店"]
    embeddings, truncated = await encoder.encode(texts, timeout=TIMEOUT_S)
    assert embeddings.shape == (len(texts), 384)
    assert embeddings.dtype == np.float32
    assert truncated.shape == (len(texts),)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-3)
    cosines = (embeddings * torch_embeddings(texts)).sum(axis=1)
    assert cosines.min() >= 0.999


async def test_only_a_text_with_too_many_tokens_is_truncated(encoder: TextEncoder) -> None:
    # Two of the 256 tokens are special ones.
    texts = ["film " * 254, "film " * 255, "short"]
    embeddings, truncated = await encoder.encode(texts, timeout=TIMEOUT_S)
    assert truncated.tolist() == [False, True, False]
    np.testing.assert_allclose(embeddings[0], embeddings[1], atol=0.01)


async def test_a_megabyte_of_text_is_truncated_quickly(encoder: TextEncoder) -> None:
    start = time.monotonic()
    embeddings, truncated = await encoder.encode(["word " * 200_000], timeout=TIMEOUT_S)
    assert time.monotonic() - start < 1.0
    assert truncated.tolist() == [True]
    assert np.isfinite(embeddings).all()


async def test_a_megabyte_without_a_space_is_encoded(encoder: TextEncoder) -> None:
    embeddings, truncated = await encoder.encode(
        ["x" * 1_000_000, "界" * 400_000], timeout=TIMEOUT_S
    )
    assert truncated.tolist() == [True, True]
    assert np.isfinite(embeddings).all()


async def test_an_empty_text_has_a_vector(encoder: TextEncoder) -> None:
    embeddings, truncated = await encoder.encode(["", "   \n\t"], timeout=TIMEOUT_S)
    assert truncated.tolist() == [False, False]
    np.testing.assert_allclose(embeddings[0], embeddings[1], atol=1e-3)


async def test_no_texts_have_no_vectors(encoder: TextEncoder) -> None:
    embeddings, truncated = await encoder.encode([], timeout=TIMEOUT_S)
    assert embeddings.shape == (0, 0)
    assert truncated.shape == (0,)


async def test_chinese_texts_of_one_meaning_are_nearer_than_others(encoder: TextEncoder) -> None:
    texts = ["安静的书店", "安静的书屋", "重金属音乐会"]
    embeddings, _ = await encoder.encode(texts, timeout=TIMEOUT_S)
    assert embeddings[0] @ embeddings[1] > embeddings[0] @ embeddings[2]


async def test_bytes_that_are_not_text_are_encoded_as_replacement_characters(
    triton: Triton,
) -> None:
    rows = [b"\xff\xfe\x00\x80garbage\xc3", os.urandom(5000), b"\x00"]
    request = service_pb2.ModelInferRequest(model_name="text_encoder")
    request.inputs.add(name="TEXT", datatype="BYTES", shape=[len(rows), 1])
    request.raw_input_contents.append(
        b"".join(len(row).to_bytes(4, "little") + row for row in rows)
    )
    async with grpc.aio.insecure_channel(triton.settings.target) as channel:
        response = await service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert [output.name for output in response.outputs] == ["EMBEDDING", "TRUNCATED"]
    embeddings = np.frombuffer(response.raw_output_contents[0], dtype=np.float32)
    assert np.isfinite(embeddings).all()
    assert embeddings.size == 3 * 384


async def test_concurrent_requests_share_batches_and_get_their_own_rows(
    triton: Triton, encoder: TextEncoder
) -> None:
    texts = texts_of_mixed_lengths(200)
    expected, _ = await encoder.encode(texts, timeout=TIMEOUT_S)
    rows_before, batches_before = await statistics(triton)
    answers = await asyncio.gather(*(encoder.encode([text], timeout=TIMEOUT_S) for text in texts))
    rows, batches = await statistics(triton)
    assert rows - rows_before == 200
    assert batches - batches_before < 100
    actual = np.concatenate([embeddings for embeddings, _ in answers])
    assert (actual * expected).sum(axis=1).min() >= 0.999


async def test_no_request_waits_beside_an_idle_engine(encoder: TextEncoder) -> None:
    # Triton's batcher sleeps for half a second if it misses that an instance became idle: one
    # request in six, in every try (measured: 7 to 33 %). A hiccup of the machine holds up one round
    # of all 16 callers, which is 3 % of a try; two in one try are lost among more tries.
    async def try_once() -> np.ndarray:
        texts = iter(texts_of_mixed_lengths(480))
        took_s: list[float] = []

        async def caller() -> None:
            for text in texts:
                start = time.monotonic()
                await encoder.encode([text[:150]], timeout=TIMEOUT_S)
                took_s.append(time.monotonic() - start)

        await asyncio.gather(*(caller() for _ in range(16)))
        return np.array(took_s) > np.median(took_s) + 0.4

    stalled = await try_once()
    for _ in range(3):
        if stalled.mean() >= 0.05:
            stalled = np.concatenate([stalled, await try_once()])
    assert stalled.mean() < 0.05


async def test_bulk_work_keeps_its_order(encoder: TextEncoder) -> None:
    texts = texts_of_mixed_lengths(100)
    online, _ = await encoder.encode(texts, timeout=TIMEOUT_S)
    bulk, _ = await encoder.encode(texts, timeout=TIMEOUT_S, bulk=True)
    assert (online * bulk).sum(axis=1).min() >= 0.999


async def test_online_requests_overtake_bulk_work(encoder: TextEncoder) -> None:
    texts = texts_of_mixed_lengths(400)
    bulk = asyncio.create_task(encoder.encode(texts, timeout=TIMEOUT_S, bulk=True))
    await asyncio.sleep(0.1)
    await encoder.encode(["a short text"], timeout=TIMEOUT_S)
    assert not bulk.done()
    await bulk


async def test_too_little_time_is_deadline_exceeded(encoder: TextEncoder) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await encoder.encode(texts_of_mixed_lengths(500), timeout=0.05)
    assert error.value.code() in (
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAVAILABLE,  # Triton's own queue timeout came first
    )
    embeddings, _ = await encoder.encode(["still alive"], timeout=TIMEOUT_S)
    assert np.isfinite(embeddings).all()


async def test_what_the_queue_cannot_hold_is_refused_at_once(encoder: TextEncoder) -> None:
    ends = []  # in the order in which they came; "" for an answer

    async def call() -> None:
        try:
            await encoder.encode(["a film about a quiet harbour"], timeout=TIMEOUT_S)
            ends.append("")
        except grpc.aio.AioRpcError as error:
            ends.append(f"{error.code()} {error.details()}")

    await asyncio.gather(*(call() for _ in range(1500)))
    refusals = [end for end in ends if end]
    assert len(set(refusals)) == 1
    assert "UNAVAILABLE" in refusals[0]
    assert "maximum queue size" in refusals[0]
    assert 0 < len(refusals) < 1500 - 512
    # The queue was full when the last was refused, and is answered after it.
    last = max(place for place, end in enumerate(ends) if end)
    assert len(ends) - 1 - last > 100
    assert await encoder.ready()


async def test_the_version_is_that_of_the_encoder_directory(encoder: TextEncoder) -> None:
    assert await encoder.version() == prepared_encoder().name
    assert await encoder.ready()


def test_status_tells_of_the_models(triton: Triton, tmp_path: Path) -> None:
    me = Part("tandem up", os.getpid(), start_ticks(os.getpid()), "", "")
    part = replace(me, name="triton", address=triton.settings.target)
    write_record(tmp_path, StackRecord(me, [part], "", "", ready=True))
    shown = CliRunner().invoke(app, ["status", "--state", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    row = next(line for line in shown.output.splitlines() if "text_encoder" in line)
    assert row.split()[:2] == ["triton", "serving"]
    assert row.split()[-3:] == ["text_encoder", "1", "ready"]
    assert "user_encoder 1 ready" in shown.output


async def test_metrics_are_served(triton: Triton) -> None:
    url = f"http://127.0.0.1:{triton.settings.metrics_port}/metrics"
    body = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read())
    assert b'nv_inference_request_success{model="text_encoder"' in body


async def test_a_port_in_use_is_one_clear_error(triton: Triton, tmp_path: Path) -> None:
    taken = triton.settings
    second = Triton(
        TritonSettings(
            encoder_dir=taken.encoder_dir,
            http_port=taken.http_port,
            grpc_port=taken.grpc_port,
            metrics_port=taken.metrics_port,
            log_file=tmp_path / "triton.log",
        )
    )
    with pytest.raises(PortInUse, match=f"port {taken.http_port} "):
        await second.start()
