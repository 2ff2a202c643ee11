"""Exports a served tower for its engines, and proves that they say the same as torch."""

import copy
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from models.tower.attention_bias import TIME_BUCKETS
from models.tower.serving import ServedTower
from models.tower.tower import ACTIONS

OPENVINO = "user_encoder.xml"
PROGRAM = "user_encoder.pt2"
ABOUT = "user_encoder.json"
FORMAT = 1
# Of a user vector's greatest component.
TOLERANCE = 1e-3
# Users, events, and items that the release does not know.
PARITY_SHAPES = ((1, 1, 1), (3, 7, 2), (2, 40, 5))


class TowerDiffers(Exception):
    """An exported tower does not say what the trained one says."""


class _OfBuckets(nn.Module):
    """A tower whose elapsed times come in buckets.

    OpenVINO's CPU computes in int32, which Unix milliseconds are beyond.
    """

    def __init__(self, served: ServedTower) -> None:
        super().__init__()
        # The ids are in the items' vectors already, which need not be held twice.
        vectors, ids = served.item_vectors_NW, served.tower.items.ids
        self.served = copy.deepcopy(served, {id(ids): nn.Identity(), id(vectors): vectors})

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.served.of_buckets(*inputs)


def export_tower(served: ServedTower, directory: Path) -> float:
    """Write `user_encoder.xml` and `.bin` for OpenVINO, `.pt2` for torch, `.json` about both.

    Both take the arguments of `ServedTower.of_buckets`, with any number of users, events and
    unknown items, and hold the items' vectors. Returns the greatest difference to the tower, as a
    share of a vector's greatest component. Raises TowerDiffers where it is beyond TOLERANCE.
    """
    # Conversion would report its use to OpenVINO's makers; without this package it cannot.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino as ov

    config = served.tower.config
    about = {
        "format": FORMAT,
        "items": config.items,
        "actions": ACTIONS,
        "text_width": config.content_width,
        "event_width": config.event_width,
        "context_width": config.context_width,
        "width": config.width,
        "max_history": config.max_history,
    }
    (directory / ABOUT).write_text(json.dumps(about, indent=1))
    module = _OfBuckets(served).eval()
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch uses what it means to abandon
        program = _program(module)
        ov.save_model(ov.convert_model(program), directory / OPENVINO, compress_to_fp16=False)
        program.example_inputs = None  # they alone would be pickled
        torch.export.save(program, directory / PROGRAM)
        loaded = torch.export.load(directory / PROGRAM).module()

    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(directory / OPENVINO, "CPU", options)
    worst = 0.0
    for shape in PARITY_SHAPES:
        inputs = _some_users(served, *shape)
        with torch.inference_mode():
            expected = module(*inputs).numpy()
            by_torch = loaded(*inputs).numpy()
        by_openvino = compiled([value.numpy() for value in inputs])[0]
        for actual in (by_torch, by_openvino):
            difference = np.abs(actual - expected).max() / np.abs(expected).max()
            worst = max(worst, float(np.nan_to_num(difference, nan=np.inf)))
    if worst > TOLERANCE:
        raise TowerDiffers(
            f"the exported user tower differs by {worst:.1e} of a vector's greatest component, "
            f"more than {TOLERANCE:.0e}"
        )
    return worst


def _program(module: _OfBuckets) -> ExportedProgram:
    users, events, unknown = Dim("users", min=1), Dim("events", min=1), Dim("unknown", min=1)
    pairs = {0: users, 1: events}
    shapes = (pairs, {0: users, 1: unknown}, pairs, pairs, {**pairs, 2: events}, {0: users})
    return torch.export.export(
        module, _some_users(module.served, 3, 5, 2), dynamic_shapes=((*shapes, {0: users}),)
    )


def _some_users(served: ServedTower, users: int, events: int, unknown: int) -> tuple[Tensor, ...]:
    """Return arguments of `ServedTower.of_buckets` for made-up users of different lengths."""
    random = torch.Generator().manual_seed(users * events)
    config = served.tower.config

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    def integers(low: int, high: int, *shape: int) -> Tensor:
        return torch.randint(low, high, shape, generator=random)

    return (
        integers(-unknown, config.items, users, events),
        normal(users, unknown, config.content_width),
        integers(0, ACTIONS, users, events),
        normal(users, events, config.event_width),
        integers(0, TIME_BUCKETS, users, events, events),
        normal(users, config.context_width),
        integers(1, events + 1, users),
    )
