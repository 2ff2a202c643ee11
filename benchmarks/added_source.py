"""What one source adds to the candidates: recall of the union with it and without it.

Sources are fitted once, on what precedes the ranker's window, and asked for each user's last event.
Both unions come from the same lists and learned weights. What only that source found is counted
apart.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environment import ROOT
from features.candidates import SOURCES
from features.fusion import source_name
from tandem.v1.candidate_pb2 import Source
from tandem_cli.encoder_directory import default_weights
from tandem_cli.encoder_directory import prepare as prepared
from tandem_cli.stack.ports import free_ports
from tandem_cli.stack.triton import Triton, TritonSettings
from training.datasets.source import open_dataset
from training.encoding import encode_texts
from training.examples import ExampleMaker
from training.fitting import fit_early
from training.interactions import interactions_of
from training.preparation import choose_task, prepare, read_material
from training.settings import TrainSettings
from training.sources import merge
from training.targets import Target

DEPTHS = (50, 200)


def measure(spec: str, folder: Path, source: Source.ValueType) -> dict[str, Any]:
    """Return recall by source, and of the union with and without one."""
    settings, encoder_dir = TrainSettings(), prepared(default_weights(), ROOT / "var" / "encoders")
    dataset = open_dataset(spec, rejects=folder / "rejects.csv")
    task = choose_task(
        read_material(dataset, interactions_of(dataset), settings.seed), settings, test=True
    )
    http_port, grpc_port, metrics_port = free_ports(3)
    log_file = folder / "triton.log"
    triton = Triton(TritonSettings(encoder_dir, http_port, grpc_port, metrics_port, log_file))
    asyncio.run(triton.start())
    try:
        encode = partial(encode_texts, triton.settings.target)
        run, _ = prepare(task, encoder_dir, settings, encode, print)
    finally:
        asyncio.run(triton.stop())
    models = fit_early(run)
    worth = dict(zip(models.tables.entities.relations, models.tables.entities.worth, strict=True))
    return {
        "users": len(dataset.users),
        "items": len(dataset.items),
        "worth": {name: round(float(value), 4) for name, value in worth.items()},
        **recalls(run.maker(models), run.targets.test, source),
    }


def recalls(maker: ExampleMaker, targets: list[Target], source: Source.ValueType) -> dict[str, Any]:
    """Return how many of the targets are found, with the source and without it."""
    added = SOURCES.index(source)
    weights, count = maker.tables.weights, maker.settings.candidate_count
    places: dict[str, list[float]] = {"with": [], "without": []}
    found = np.zeros((len(targets), len(SOURCES)), np.float64)
    for number, (target, results) in enumerate(zip(targets, maker.lists(targets), strict=True)):
        row = maker.interactions.of(target.user).rows[target.place]
        usual = [weights.of(one, maker.heard(target).weight) for one in SOURCES]
        without = [0.0 if place == added else weight for place, weight in enumerate(usual)]
        for name, used in (("with", usual), ("without", without)):
            rows = merge(results, used, len(maker.tables.items), count).rows
            places[name].append(place_of(rows, row))
        found[number] = [place_of(rows, row) for rows, _ in results]
    union = {name: np.array(ranks) for name, ranks in places.items()}
    others = np.isfinite(np.delete(found, added, axis=1)).any(axis=1)
    by_it_alone = np.isfinite(found[:, added]) & ~others
    return {
        "targets": len(targets),
        "weights": weights.by_name()["usual"],
        "sources": {
            source_name(one): {f"recall@{k}": mean(found[:, at] <= k) for k in DEPTHS}
            for at, one in enumerate(SOURCES)
        },
        "union": {
            f"recall@{k}": {
                **{name: mean(ranks <= k) for name, ranks in union.items()},
                "gain": difference(union["with"] <= k, union["without"] <= k),
            }
            for k in DEPTHS
        },
        f"by_{source_name(source)}_alone": mean(by_it_alone),
    }


def place_of(rows: "np.ndarray[Any, Any]", row: int) -> float:
    """Return the place of a row from 1, infinity if it is not there."""
    at = np.flatnonzero(rows == row)
    return float(at[0]) + 1.0 if len(at) else np.inf


def mean(values: "np.ndarray[Any, Any]") -> float:
    """Return a share, rounded."""
    return round(float(values.mean()), 4)


def difference(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> list[float]:
    """Return the mean difference and its 95 % interval over targets."""
    each = one.astype(float) - other.astype(float)
    middle, half = float(each.mean()), 1.96 * float(each.std() / np.sqrt(len(each)))
    return [round(value, 4) for value in (middle, middle - half, middle + half)]
