"""The engines of the text encoder agree, whatever is encoded together."""

import os
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from tandem_cli.encoder_directory import prepare
from tests.support.text_encoding import encoder
from tests.support.tiny_encoder import write_tiny_encoder

TEXTS = [b"a film", b"", b"a quieter book " * 6, "安静的书店".encode(), b"film", b"\xff\xfe"]


@pytest.fixture(scope="module", params=["mean", "cls"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("encoder")
    return prepare(write_tiny_encoder(root / "tiny", pooling=request.param), root / "out")


def load(directory: Path, engine: str) -> encoder.Encoder:
    return encoder.Encoder.load({"encoder_dir": str(directory), "engine": engine}, "cpu")


def test_openvino_and_torch_say_the_same(directory: Path) -> None:
    openvino, _ = load(directory, "openvino").encode(TEXTS)
    torch, _ = load(directory, "torch").encode(TEXTS)
    assert openvino.dtype == torch.dtype == np.float32
    assert (openvino * torch).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_a_text_has_the_same_vector_alone_and_among_others(directory: Path, engine: str) -> None:
    loaded = load(directory, engine)
    together, _ = loaded.encode(TEXTS)
    alone = np.concatenate([loaded.encode([text])[0] for text in TEXTS])
    assert (together * alone).sum(axis=1).min() >= 0.999
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-2)


def test_threads_for_bulk_work_stand_behind_all_others(directory: Path) -> None:
    loaded = load(directory, "openvino")
    tasks = Path("/proc/self/task").glob("*/stat")
    nice = [int(task.read_text().rpartition(")")[2].split()[16]) for task in tasks]
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert sum(each > mine for each in nice) >= 1
    assert nice.count(mine) > 1
    done: Future[object] = Future()
    loaded.submit(TEXTS, done.set_result, bulk=True)
    vectors, _ = done.result(timeout=20)  # type: ignore[misc]
    assert (vectors * loaded.encode(TEXTS)[0]).sum(axis=1).min() >= 0.999


def test_another_version_than_the_one_wanted_is_refused(directory: Path) -> None:
    parameters = {"encoder_dir": str(directory), "encoder_version": "other-0"}
    with pytest.raises(encoder.EncoderUnusable, match=f"holds {directory.name}, not other-0"):
        encoder.Encoder.load(parameters, "cpu")


def test_an_unknown_engine_is_named(directory: Path) -> None:
    with pytest.raises(encoder.EncoderUnusable, match="engine 'abacus' is none of"):
        load(directory, "abacus")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(encoder.EncoderUnusable, match=r"there is no encoder.json in it"):
        load(tmp_path / "nowhere", "auto")
