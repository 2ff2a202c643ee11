"""The command: one system, one trial, one result."""

import argparse
import json
import resource
import sys
import time
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

from baselines import trial as trials
from baselines.ranking import Scorer, rank
from baselines.trial import DEPTH, Float32, NotApplicable, Result, Trial

SYSTEMS = {
    "popular": ("popular", "fit"),
    "popular_7d": ("popular", "fit_week"),
    "most_visited": ("most_visited", "fit"),
    "itemknn": ("itemknn", "fit"),
    "ease": ("ease", "fit"),
    "ials": ("ials", "fit"),
    "lightfm": ("lightfm_warp", "fit"),
    "sasrec": ("sasrec", "fit"),
}
FUSED = ("fusion", "label_gbdt")
LIBRARIES = ("numpy", "scipy", "pm-implicit", "lightfm-next", "lightgbm", "RecTools", "torch")
CHOSEN_BY = ("each user's last known event", "the newest tenth of the labelled rows")
NOT_APPLICABLE = 3


def main() -> int:
    """Run one system on one trial; exit 3 where the system does not apply to it."""
    parser = argparse.ArgumentParser(
        prog="python -m baselines", description="Run one baseline recommender on one trial."
    )
    parser.add_argument("system", choices=sorted([*SYSTEMS, *FUSED]))
    parser.add_argument("--trial", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="directory for the result")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget-trials", type=int, help="settings tried at most, per system")
    parser.add_argument(
        "--reuse",
        type=Path,
        action="append",
        default=[],
        help="result.json of a system on the same trial, whose settings are taken, not chosen anew",
    )
    arguments = parser.parse_args()
    if arguments.budget_trials is not None and arguments.budget_trials < 1:
        parser.error("--budget-trials must be at least 1")
    started = time.monotonic()
    trial = trials.load(arguments.trial)
    print(
        f"{arguments.system}: {len(trial.known)} events, {trial.users} users, {trial.items} items, "
        f"{len(trial.requests)} requests",
        flush=True,
    )
    try:
        result = run(
            arguments.system,
            trial,
            arguments.seed,
            arguments.budget_trials,
            [json.loads(path.read_text(encoding="utf-8")) for path in arguments.reuse],
        )
    except NotApplicable as why:
        print(f"not applicable: {why}", file=sys.stderr)
        return NOT_APPLICABLE
    seconds = round(time.monotonic() - started, 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = {
        "system": arguments.system,
        "seed": arguments.seed,
        "settings": result.settings,
        "grid": result.grid,
        "budget": {
            "trials": len(result.grid),
            "chosen by": CHOSEN_BY[arguments.system == "label_gbdt"],
        },
        "seconds": seconds,
        "peak_rss_mib": round(peak, 1),
        "versions": {name: metadata.version(name) for name in LIBRARIES},
    }
    trials.save(arguments.out, result, report)
    print(f"{arguments.system}: {seconds:.1f}s, {peak:.0f} MiB, {result.settings}", flush=True)
    return 0


def run(
    system: str, trial: Trial, seed: int, budget: int | None, reused: list[dict[str, Any]]
) -> Result:
    """Choose settings on validation, fit on all that is known, rank, score the labelled rows."""
    chosen = {report["system"]: report["settings"] for report in reused}
    if system == "label_gbdt":
        from baselines import label_gbdt

        label_scores, settings, tried = label_gbdt.run(trial, seed, budget, chosen)
        nothing = np.full((len(trial.requests), DEPTH), -1, dtype=np.int32)
        values = np.full(nothing.shape, np.nan, dtype=np.float32)
        return Result(nothing, values, label_scores, settings, tried)
    if system == "fusion":
        from baselines import fusion

        scorer, settings, tried = fusion.run(trial, seed, budget, chosen)
    else:
        file, name = SYSTEMS[system]
        module = import_module(f"baselines.{file}")
        if system in chosen:
            settings, tried = chosen[system], []
        else:
            settings, tried = module.choose(trial, seed, budget)
        print(f"  fitting {settings} on all that is known", flush=True)
        scorer = getattr(module, name)(trial.known, trial, settings, seed)
    popularity = trial.known.popularity(trial.items)
    ranked, scores = rank(scorer, trial.requests, popularity, trial.repeat)
    return Result(ranked, scores, _label_scores(scorer, trial), settings, tried)


def _label_scores(scorer: Scorer, trial: Trial) -> Float32:
    requests, row_request = trials.score_requests(trial)
    label_scores = np.full(len(row_request), np.nan, dtype=np.float32)
    for first in range(0, len(requests), 256):
        last = min(first + 256, len(requests))
        rows = (row_request >= first) & (row_request < last)
        of_items = scorer(requests.part(first, last))
        label_scores[rows] = of_items[row_request[rows] - first, trial.score_item[rows]]
    return label_scores
