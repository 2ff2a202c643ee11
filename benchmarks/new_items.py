"""Items that nobody has used yet: are they found, and by whom they will be used?

    .venv/bin/python -m benchmarks.new_items --name sample-world
    .venv/bin/python -m benchmarks.new_items movielens:../shared/data/ml-latest-small --name mls

Every tenth item that has events, drawn at random, is held out entirely: it stays in the catalogue,
but of its events nothing is learned, and none is in any history. Each is asked for at its time, and
the whole catalogue is ranked, by `tandem evaluate --protocol given`. Models that know items by who
used them cannot name such an item; popularity is here to show it. Chance is a list of ten items
drawn from the catalogue.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.environment import ROOT, describe, write_result
from benchmarks.words_only import write_dataset
from sample_world import write_world
from tandem_cli.evaluation.children import run_child
from training.datasets.format import Dataset
from training.datasets.source import open_dataset

SEED = 0
EVERY = 10
K = 10
ITEMS, USERS, WORLD_SEED = 3_000, 1_000, 7
METRICS = (f"hr@{K}", f"ndcg@{K}", "recall@200")
SHOWN = ("tandem", "popular", "union", "source:semantic", "source:sequence", "source:lexical")


def main() -> None:
    """Hold items out, evaluate, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", nargs="?", default="", help="default: a sample world")
    parser.add_argument("--name", required=True, help="of the result")
    parser.add_argument("--systems", default="tandem,popular")
    parser.add_argument("--requests", default="1000", help="at most, a fixed sample")
    parser.add_argument("--set", action="append", default=[], help="a setting of training")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        spec = arguments.dataset
        if not spec:
            spec = str(directory / "world")
            write_world(Path(spec), domain="mixed", items=ITEMS, users=USERS, seed=WORLD_SEED)
        dataset = open_dataset(spec, rejects=None)
        events = held_out(dataset)
        users = dataset.users.assign(tags=dataset.users["tags"].map("|".join))
        write_dataset(dataset, events, users, directory / arguments.name)
        options = ["--systems", arguments.systems, "--requests", arguments.requests]
        options += [part for change in arguments.set for part in ("--set", change)]
        report = evaluate(directory / arguments.name, options, directory)
    items = len(dataset.items)
    asked = events[events["split"] == "test"]
    result = {
        **describe(),
        "dataset": arguments.dataset or f"sample world: {ITEMS} items, {USERS} users",
        "options": options,
        "items": items,
        "items_held_out": int(asked["item_id"].nunique()),
        "events_held_out": len(asked),
        "requests": report["trial"]["requests"],
        "chance": chance(items),
        "systems": {
            name: {metric: system["metrics"][metric] for metric in METRICS}
            for name, system in report["systems"].items()
            if METRICS[0] in system.get("metrics", {})
        },
    }
    for line in lines(result):
        print(line)
    write_result(f"new_items_{arguments.name.replace('-', '_')}", result)


def held_out(dataset: Dataset) -> pd.DataFrame:
    """Return all events with a split: test for those with the items that are held out."""
    codes = dataset.interactions["item_id"].cat.codes.to_numpy()
    used = np.unique(codes)
    drawn = np.random.default_rng(SEED).permutation(used)[: len(used) // EVERY]
    split = np.where(np.isin(codes, drawn), "test", "train")
    return dataset.interactions.drop(columns="label").assign(split=split)


def evaluate(dataset: Path, options: list[str], folder: Path) -> dict[str, Any]:
    """Return the report of `tandem evaluate` on a data set."""
    file = folder / "report.json"
    command = [sys.executable, "-m", "tandem_cli", "evaluate", "--dataset", str(dataset)]
    command += ["--protocol", "given", "--json", str(file), "--work", str(folder / "work")]
    ended = run_child("evaluate", [*command, *options], folder / "log", ROOT, hear=print)
    if ended.status:
        sys.exit("\n".join(["tandem evaluate failed:", *ended.lines]))
    report: dict[str, Any] = json.loads(file.read_text())
    return report


def chance(items: int) -> dict[str, float]:
    """Return what a list drawn at random is expected to reach among so many items."""
    gains = 1.0 / np.log2(np.arange(2, K + 2))
    return {
        f"hr@{K}": K / items,
        f"ndcg@{K}": float(gains.sum()) / items,
        "recall@200": 200 / items,
    }


def lines(result: dict[str, Any]) -> list[str]:
    """Return a table for people."""
    told = [f"{result['requests']} requests for items that nobody used, of {result['items']} items"]
    told += [f"{'':18}" + "".join(f"{metric:>26}" for metric in METRICS)]
    rows = {name: result["systems"][name] for name in SHOWN if name in result["systems"]}
    rows |= {name: system for name, system in result["systems"].items() if ":" not in name}
    for name, metrics in rows.items():
        cells = "".join(f"{_with_interval(metrics[one]):>26}" for one in METRICS)
        told.append(f"{name:18}{cells}")
    by_chance = "".join(f"{result['chance'][metric]:>26.4f}" for metric in METRICS)
    return [*told, f"{'chance':18}{by_chance}"]


def _with_interval(metric: dict[str, Any]) -> str:
    low, high = metric["ci95"]
    return f"{metric['mean']:.4f} [{low:.4f}, {high:.4f}]"


if __name__ == "__main__":
    main()
