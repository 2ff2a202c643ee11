"""What training costs as the data grow: seconds and memory of `tandem train` with its defaults.

    .venv/bin/python -m benchmarks.training --events 30000,100000,300000
    .venv/bin/python -m benchmarks.training --dataset movielens:/tmp/ml25m --name training-ml25m

Each size is whole users of one sample world, in the same order, so that a larger set holds the
smaller; or one data set that is there already. Time and memory are of the command and the Triton
that it starts, all processes together.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.environment import ROOT, describe, write_result
from sample_world import write_world
from tandem_cli.evaluation.children import run_child

ITEMS = 5_000
# A sample world has at least so many events for each user.
EVENTS_PER_USER = 20
STAGE = re.compile(r"^ *(\d+) s  (.*)")


def main() -> None:
    """Train at every size and record what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", default="30000,100000,300000", help="sizes, with commas")
    parser.add_argument("--dataset", help="a data set as for `tandem train`, in place of a world")
    parser.add_argument("--name", default="training", help="of the recorded result")
    parser.add_argument("--set", action="append", default=[], help="a setting of training")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.dataset:
            run = train(arguments.dataset, Path(folder), arguments.set)
            record(arguments, [run])
            return
        sizes = sorted(int(size) for size in arguments.events.split(","))
        world = Path(folder) / "world"
        write_world(world, domain="mixed", items=ITEMS, users=sizes[-1] // EVENTS_PER_USER, seed=7)
        runs = []
        for size in sizes:
            part = Path(folder) / f"events-{size}"
            counts = write_part(world, part, size)
            run = counts | train(str(part), Path(folder), arguments.set)
            run["seconds_per_1000_events"] = round(1000 * run["seconds"] / run["events"], 2)
            print({key: value for key, value in run.items() if key != "stages"})
            runs.append(run)
            # After each size: the largest takes longest, and may be stopped.
            record(arguments, runs)


def record(arguments: argparse.Namespace, runs: list[dict[str, Any]]) -> None:
    """Write what was measured so far."""
    settings = {"set": arguments.set}
    write_result(arguments.name, {"about": describe(), "settings": settings, "runs": runs})


def train(spec: str, folder: Path, changes: list[str]) -> dict[str, Any]:
    """Train on a data set; return seconds, memory and stages."""
    name = Path(spec).name
    stages: dict[str, int] = {}

    def hear(line: str) -> None:
        print(f"{name}: {line}", flush=True)
        if (told := STAGE.match(line)) and not line.endswith(" left"):
            # Not where the release was written to: that is of the machine.
            stages[told[2].partition(" written to ")[0][:60]] = int(told[1])

    options = [word for change in changes for word in ("--set", change)]
    command = [sys.executable, "-m", "tandem_cli", "train", "--dataset", spec]
    command += ["--out", str(folder / f"release-{name}"), *options]
    ended = run_child("train", command, folder / f"train-{name}.log", ROOT, hear)
    if ended.status != 0:
        raise SystemExit(f"training on {spec} ended with status {ended.status}")
    return {
        "dataset": name,
        "seconds": ended.seconds,
        "peak_rss_mib": ended.peak_rss_mib,
        "stages": stages,
    }


def write_part(world: Path, directory: Path, size: int) -> dict[str, int]:
    """Write the first users of a world whose events are at least `size`, with all items."""
    directory.mkdir()
    events = pd.read_csv(world / "interactions.csv", dtype=str, keep_default_na=False)
    order = pd.Series(events["user_id"].unique())
    totals = events["user_id"].value_counts().reindex(order).cumsum()
    kept = order[: int((totals < size).sum()) + 1]
    part = events[events["user_id"].isin(set(kept))]
    part.to_csv(directory / "interactions.csv", index=False)
    for name in ("items.csv", "dataset.json"):
        (directory / name).write_bytes((world / name).read_bytes())
    return {"events": len(part), "users": len(kept), "items": ITEMS}


if __name__ == "__main__":
    main()
