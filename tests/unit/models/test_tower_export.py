"""A tower that is exported says what the trained one says, whatever reads it."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from torch import Tensor, nn

from models.tower import export
from models.tower.attention_bias import time_buckets
from models.tower.config import TowerConfig
from models.tower.export import OPENVINO, PROGRAM, TOLERANCE, TowerDiffers, export_tower
from models.tower.serving import ServedTower
from tests.support.towers import random_served_tower

CONFIG = TowerConfig(items=30, text_width=12, event_width=9, context_width=10, width=16)


@pytest.fixture(scope="module", params=[{}, {"image": 5}], ids=["texts", "texts and media"])
def served(request: pytest.FixtureRequest) -> ServedTower:
    return random_served_tower(replace(CONFIG, spaces=request.param))


@pytest.fixture(scope="module")
def directory(served: ServedTower, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tower")
    assert export_tower(served, directory) <= 1e-5
    return directory


def one_user(events: int, unknown: int = 1, width: int = CONFIG.text_width) -> tuple[Tensor, ...]:
    """Return the arguments of `ServedTower.forward` for one user with times in milliseconds."""
    random = np.random.default_rng(events)
    times = np.sort(random.integers(10**12, 10**12 + 10**11, (1, events + 1)))
    return tuple(
        map(
            torch.from_numpy,
            (
                random.integers(-unknown, CONFIG.items, (1, events)),
                random.normal(size=(1, unknown, width)).astype(np.float32),
                random.integers(0, 8, (1, events)),
                random.normal(size=(1, events, CONFIG.event_width)).astype(np.float32),
                times[:, :-1],
                times[:, 1:],
                random.normal(size=(1, CONFIG.context_width)).astype(np.float32),
                np.array([events]),
            ),
        )
    )


@pytest.mark.parametrize(("events", "unknown"), [(1, 1), (2, 3), (37, 1), (100, 5)])
def test_every_engine_gives_the_vector_of_the_tower(
    served: ServedTower, directory: Path, events: int, unknown: int
) -> None:
    *front, times, following, context, lengths = one_user(
        events, unknown, served.tower.config.content_width
    )
    with torch.inference_mode():
        expected = served(*front, times, following, context, lengths).numpy()
        inputs = (*front, time_buckets(times, following), context, lengths)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            program = torch.export.load(directory / PROGRAM).module()
        by_torch = program(*inputs).numpy()
    compiled = ov.Core().compile_model(
        directory / OPENVINO, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    by_openvino = compiled([value.numpy() for value in inputs])[0]
    atol = TOLERANCE * np.abs(expected).max()
    np.testing.assert_allclose(by_torch, expected, atol=atol, rtol=0)
    np.testing.assert_allclose(by_openvino, expected, atol=atol, rtol=0)


def test_the_program_moves_to_another_device_as_a_whole(
    served: ServedTower, directory: Path
) -> None:
    from torch.export.passes import move_to_device_pass

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        moved = move_to_device_pass(torch.export.load(directory / PROGRAM), "meta").module()
    *front, times, following, context, lengths = one_user(
        9, width=served.tower.config.content_width
    )
    inputs = (*front, time_buckets(times, following), context, lengths)
    assert moved(*(value.to("meta") for value in inputs)).shape == (1, CONFIG.width)


def test_an_export_that_differs_is_refused(
    served: ServedTower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(nn.Module):
        def __init__(self, served: ServedTower) -> None:
            super().__init__()
            self.served = served

        def forward(self, *inputs: Tensor) -> Tensor:
            # As if a network had been converted wrongly: only the traced one is another.
            vectors: Tensor = self.served.of_buckets(*inputs)
            return vectors * 1.01 if torch.compiler.is_exporting() else vectors

    monkeypatch.setattr(export, "_OfBuckets", Other)
    with pytest.raises(TowerDiffers, match=r"differs by 1\.0e-02 of a vector's greatest"):
        export_tower(served, tmp_path)


def test_a_bucket_ends_exactly_at_its_power_of_two() -> None:
    seconds = torch.tensor([[2**k - 1 for k in range(1, 22)]])
    at, before = seconds * 1000, seconds * 1000 - 1000
    zero = torch.zeros_like(at)
    assert time_buckets(zero, at).diagonal(dim1=1, dim2=2).tolist() == [list(range(1, 22))]
    assert time_buckets(zero, before).diagonal(dim1=1, dim2=2).tolist() == [list(range(21))]
    assert time_buckets(at[:, -1:], zero[:, -1:]).item() == 0
