from itertools import product
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from models.ranker import export
from models.ranker.export import RankerDiffers, export_language
from models.ranker.flat_batch import flat_batch
from models.ranker.ranker import Ranker
from ranking_service.engine import OpenVinoEngine, TorchEngine, device_of, engine_of
from tests.support.rankers import bert_config, llama_config, random_ranker, random_user

LANGUAGE_MODELS = {"encoder": bert_config, "decoder": llama_config}
MODES = {"item": 0, "text": 5}


@pytest.fixture(params=product(LANGUAGE_MODELS, MODES), ids="-".join)
def ranker(request: pytest.FixtureRequest) -> Ranker:
    model, mode = request.param
    return random_ranker(LANGUAGE_MODELS[model](), candidate_tokens=MODES[mode])


def states(engine: OpenVinoEngine | TorchEngine, ranker: Ranker) -> torch.Tensor:
    tokens = ranker.config.candidate_tokens
    sizes = [(11, 13, 4), (3, 0, 2)]
    users = [
        random_user(candidates, events, texts, seed, candidate_tokens=tokens)
        for seed, (candidates, events, texts) in enumerate(sizes)
    ]
    batch = flat_batch(ranker.config, users)
    with torch.inference_mode():
        features = ranker.standardised(torch.from_numpy(batch.candidate_features_CF))
        return engine.states(batch, features)


def test_both_engines_read_the_same(ranker: Ranker, tmp_path: Path) -> None:
    assert 0 < export_language(ranker, tmp_path) < 1e-2
    engines = OpenVinoEngine(ranker, tmp_path, threads=1), TorchEngine(ranker, threads=1)
    ours, theirs = (states(engine, ranker) for engine in engines)
    assert ours.dtype == theirs.dtype == torch.float32
    # Both compute in half precision where the processor can.
    torch.testing.assert_close(ours, theirs, atol=0.08, rtol=0.05)
    assert torch.equal(states(engines[0], ranker), ours)


def test_an_export_that_says_something_else_is_refused(tmp_path: Path) -> None:
    ranker = random_ranker(bert_config())
    with patch.object(export, "TOLERANCE", 0.0), pytest.raises(RankerDiffers, match="differs by"):
        export_language(ranker, tmp_path)


def test_a_gpu_is_taken_where_there_is_one_and_torch_runs_it(tmp_path: Path) -> None:
    for there, device in ((True, "cuda"), (False, "cpu")):
        with patch.object(torch.cuda, "is_available", return_value=there):
            assert device_of("auto") == device
            assert device_of("cpu") == "cpu"
    ranker = random_ranker(bert_config())
    export_language(ranker, tmp_path)
    # No GPU is needed to be chosen: torch's `meta` computes nothing, but has its own weights.
    engine = engine_of(ranker, tmp_path, "auto", 1, "meta")
    assert isinstance(engine, TorchEngine)
    assert {each.device.type for each in engine.language.parameters()} == {"meta"}
    assert {each.device.type for each in ranker.parameters()} == {"cpu"}


def test_a_ranker_without_an_export_is_run_by_torch(
    tmp_path: Path,
) -> None:
    ranker = random_ranker(bert_config())
    assert isinstance(engine_of(ranker, tmp_path, "auto", 1), TorchEngine)
    export_language(ranker, tmp_path)
    assert isinstance(engine_of(ranker, tmp_path, "auto", 1), OpenVinoEngine)
    assert isinstance(engine_of(ranker, tmp_path, "torch", 1), TorchEngine)
