"""The command: one system, one trial, one result."""

import argparse
import resource
import sys
import time
from importlib import import_module, metadata
from pathlib import Path

import numpy as np

from baselines import trial as trials
from baselines.ranking import rank
from baselines.validation import choose

SYSTEMS = {
    "popular": ("popular", "fit"),
    "popular_7d": ("popular", "fit_week"),
    "most_visited": ("most_visited", "fit"),
    "ease": ("ease", "fit"),
    "ials": ("ials", "fit"),
}
LIBRARIES = ("numpy", "scipy", "pm-implicit", "lightfm-next", "lightgbm", "RecTools", "torch")
NOT_APPLICABLE = 3


def main() -> int:
    """Run one system on one trial; exit 3 where the system does not apply to it."""
    parser = argparse.ArgumentParser(
        prog="python -m baselines", description="Run one baseline recommender on one trial."
    )
    parser.add_argument("system", choices=sorted(SYSTEMS))
    parser.add_argument("--trial", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="directory for the result")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget-trials", type=int, help="settings tried at most")
    arguments = parser.parse_args()
    started = time.monotonic()
    trial = trials.load(arguments.trial)
    print(
        f"{arguments.system}: {len(trial.known)} events, {trial.users} users, {trial.items} items, "
        f"{len(trial.requests)} requests",
        flush=True,
    )
    try:
        result = run(arguments.system, trial, arguments.seed, arguments.budget_trials)
    except trials.NotApplicable as why:
        print(f"not applicable: {why}", file=sys.stderr)
        return NOT_APPLICABLE
    seconds = round(time.monotonic() - started, 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = {
        "system": arguments.system,
        "seed": arguments.seed,
        "settings": result.settings,
        "grid": result.grid,
        "budget": {"trials": len(result.grid), "validation": "each user's last known event"},
        "seconds": seconds,
        "peak_rss_mib": round(peak, 1),
        "versions": {
            name: metadata.version(name)
            for name in (
                "numpy",
                "scipy",
                "pm-implicit",
                "lightfm-next",
                "lightgbm",
                "RecTools",
                "torch",
            )
        },
    }
    trials.save(arguments.out, result, report)
    print(f"{arguments.system}: {seconds:.1f}s, {peak:.0f} MiB, {result.settings}", flush=True)
    return 0


def run(system: str, trial: trials.Trial, seed: int, budget: int | None) -> trials.Result:
    """Choose settings on validation, fit on all that is known, rank, score the labelled rows."""
    file, name = SYSTEMS[system]
    module = import_module(f"baselines.{file}")
    fit, grid = getattr(module, name), module.GRID[:budget]
    settings, tried = choose(lambda events, row: fit(events, trial, row, seed), grid, trial, seed)
    scorer = fit(trial.known, trial, settings, seed)
    popularity = trial.known.popularity(trial.items)
    ranked, scores = rank(scorer, trial.requests, popularity, trial.repeat)
    requests, row_request = trials.score_requests(trial)
    label_scores = np.full(len(row_request), np.nan, dtype=np.float32)
    for first in range(0, len(requests), 256):
        last = min(first + 256, len(requests))
        rows = (row_request >= first) & (row_request < last)
        of_items = scorer(requests.part(first, last))
        label_scores[rows] = of_items[row_request[rows] - first, trial.score_item[rows]]
    return trials.Result(ranked, scores, label_scores, settings, tried)
