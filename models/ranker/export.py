"""Exports the language part of a ranker for OpenVINO, and proves that it says the same as torch."""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from features.events import EventArrays
from models.ranker.config import RankerConfig
from models.ranker.flat_batch import flat_batch
from models.ranker.packed_user import PackedCandidates, PackedUser
from models.ranker.ranker import Ranker
from models.ranker.served import ServedLanguage, looked_up

OPENVINO = "language.xml"
# Of a state's greatest component. Weights are kept in half precision, which is more than the
# bfloat16 in which processors that have it compute.
TOLERANCE = 1e-2
# Words, events and candidates of each user of a batch.
TRACED = ((2, 5, 7),)
PARITY = (((0, 0, 3),), ((2, 0, 1),), ((0, 7, 4),), ((2, 3, 5), (6, 9, 2), (2, 0, 3)))


class RankerDiffers(Exception):
    """An exported ranker does not say what the trained one says."""


def export_language(ranker: Ranker, directory: Path) -> float:
    """Write `language.xml` and `.bin` into a ranker's folder.

    They take the arguments of `ServedLanguage`, of any lengths. Returns the greatest difference to
    torch, as a share of a state's greatest component. Raises RankerDiffers where it is beyond
    TOLERANCE.
    """
    # Conversion would report its use to OpenVINO's makers; without this package it cannot.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino as ov

    module = ServedLanguage(ranker).eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what tracing makes a constant: the parity below tells
        traced = ov.convert_model(module, example_input=_inputs(ranker, TRACED, seed=0))
    ov.save_model(traced, directory / OPENVINO, compress_to_fp16=True)

    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(directory / OPENVINO, "CPU", options)
    worst = 0.0
    for seed, users in enumerate(PARITY, start=1):
        inputs = _inputs(ranker, users, seed)
        with torch.inference_mode():
            expected = module(*inputs).numpy()
        actual = compiled([value.numpy() for value in inputs])[0]
        difference = np.abs(actual - expected).max() / np.abs(expected).max()
        worst = max(worst, float(np.nan_to_num(difference, nan=np.inf)))
    if worst > TOLERANCE:
        raise RankerDiffers(
            f"the exported ranker differs by {worst:.1e} of a state's greatest component, more "
            f"than {TOLERANCE:.0e}"
        )
    return worst


def _inputs(
    ranker: Ranker, users: tuple[tuple[int, int, int], ...], seed: int
) -> tuple[Tensor, ...]:
    random = np.random.default_rng(seed)
    words = ranker.language_model.get_input_embeddings().num_embeddings
    config = ranker.config
    batch = flat_batch(config, [_some_user(config, words, *each, random) for each in users])
    with torch.no_grad():
        features = ranker.standardised(torch.from_numpy(batch.candidate_features_CF))
        return looked_up(ranker, batch, features)


def _some_user(
    config: RankerConfig,
    words: int,
    texts: int,
    events: int,
    candidates: int,
    random: np.random.Generator,
) -> PackedUser:
    """words: how many there are."""
    width = config.text_width + sum(config.spaces.values())
    hours = np.arange(events, dtype=np.int64) * 3_600_000
    unknown = np.full(events, np.nan, np.float32)
    return PackedUser(
        text_ids=tuple(random.integers(words, size=texts).tolist()),
        events=EventArrays(
            rows=random.integers(-1, config.items, events).astype(np.int32),
            actions=random.integers(1, 6, events).astype(np.int32),
            times_ms=hours,
            ratings=unknown,
            offsets_min=np.zeros(events, np.int32),
            latitudes=unknown,
            longitudes=unknown,
        ),
        event_vectors=_unit(random, events, width),
        candidates=PackedCandidates(
            rows=random.integers(-1, config.items, candidates).astype(np.int32),
            vectors=_unit(random, candidates, width),
            features=random.normal(size=(candidates, len(config.features))).astype(np.float32),
            texts=random.integers(words, size=(candidates, config.candidate_tokens)).astype(
                np.int32
            ),
            context=random.normal(size=(candidates, config.context_width)).astype(np.float32),
            visible=np.full(candidates, events),
        ),
    )


def _unit(random: np.random.Generator, count: int, width: int) -> np.ndarray:
    vectors = random.normal(size=(count, width)).astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
