"""One evaluation, top to bottom: trials, systems, metrics, report."""

import json
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features.release import Release
from tandem_cli.console import say
from tandem_cli.evaluation.baselines import (
    BASELINES,
    DETERMINISTIC,
    SystemFailed,
    run_baseline,
    set_up_baselines,
)
from tandem_cli.evaluation.tandem import TandemSettings, run_tandem
from tandem_cli.failure import CommandFailed
from training.datasets import Dataset, fingerprint
from training.evaluation.answers import TANDEM
from training.evaluation.machine import hardware, versions
from training.evaluation.measure import Measure, Values, ablation, significance
from training.evaluation.noise import Noise, draw_noise, with_noise
from training.evaluation.protocols import Protocol
from training.evaluation.trial import Trial, make_trial
from training.evaluation.trial_file import Result

FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What is evaluated.

    systems: baselines by name, `tandem` for Tandem with its stages, and `tandem:PARTS` for one
    whose ranker is made of some parts only. seeds: of training.
    requests, rated: at most so many, 0 for all. noise: shares of random interactions, each a run
    more. work: where results are kept for the next run.
    """

    dataset: Dataset
    protocol: Protocol
    systems: Sequence[str]
    tandem: TandemSettings
    seeds: Sequence[int] = (1,)
    repeat: bool | None = None
    requests: int = 5_000
    rated: int = 20_000
    noise: Sequence[float] = ()
    work: Path = Path("var/evaluate")


@dataclass
class Outcomes:
    """What the systems of one noise level gave.

    results: by system, seed and fold. directories: by fold and seed, where they are kept.
    """

    trials: list[Trial]
    results: dict[str, list[list[Result]]] = field(default_factory=dict)
    failures: dict[str, SystemFailed] = field(default_factory=dict)
    vectors: npt.NDArray[np.float32] | None = None
    directories: list[list[Path]] = field(default_factory=list)


def evaluate(plan: Plan) -> dict[str, Any]:
    """Run all systems and return the report. One that fails is told, and the others go on."""
    start = time.monotonic()
    prefix = fingerprint(plan.dataset)[:12]
    if set(plan.systems) & set(BASELINES):
        set_up_baselines()
    levels = {share: _outcomes(plan, prefix, share) for share in (0.0, *plan.noise)}
    clean = levels[0.0]
    measure, systems, values = _measured(clean)
    trial = clean.trials[0]
    baselines = [name for name in values if name in BASELINES]
    return {
        "format": FORMAT,
        "dataset": plan.tandem.spec,
        "protocol": plan.protocol.name,
        "data": {
            "name": plan.dataset.name,
            "fingerprint": fingerprint(plan.dataset),
            "users": trial.events.users,
            "items": trial.events.items,
            "events": len(trial.events.events),
            "repeat": trial.repeat,
        },
        "trial": {
            **{key: value for key, value in asdict(plan.protocol).items() if key != "fold"},
            "known_events": [int(each.known.sum()) for each in clean.trials],
            "requests": sum(len(each.requests) for each in clean.trials),
            "requests_all": sum(each.requests_all for each in clean.trials),
            "users_asked": measure.bootstrap.users,
            "labelled_rows": sum(len(each.rated) for each in clean.trials),
            "labelled_rows_all": sum(each.rated_all for each in clean.trials),
        },
        "seeds": list(plan.seeds),
        "hardware": hardware(),
        "versions": versions(),
        "settings": asdict(plan.tandem.train),
        "seconds": round(time.monotonic() - start, 1),
        "systems": systems,
        "significance": significance(measure, values, baselines),
        "ablation": ablation(measure, values),
        "noise": _degradation(levels, values),
    }


def _outcomes(plan: Plan, prefix: str, share: float) -> Outcomes:
    """Run every system on every fold and seed at one level of noise."""
    folds = range(max(plan.protocol.folds, 1))
    outcomes = Outcomes([])
    for fold in folds:
        protocol = replace(plan.protocol, fold=fold)
        trial = make_trial(
            plan.dataset, protocol, repeat=plan.repeat, requests=plan.requests, rated=plan.rated
        )
        noise = draw_noise(trial, share, seed=round(share * 1000)) if share else None
        trial = with_noise(trial, noise) if noise is not None else trial
        outcomes.trials.append(trial)
        _tell(plan, trial, share)
        places = [_directory(plan, prefix, protocol, share, seed) for seed in plan.seeds]
        outcomes.directories.append(places)
        for seed, directory in zip(plan.seeds, places, strict=True):
            for name in plan.systems:
                if name in outcomes.failures:
                    continue
                try:
                    found = _run(name, trial, noise, plan, seed, directory, outcomes)
                except Exception as error:  # whatever it is, the others go on
                    outcomes.failures[name] = _failure(name, error)
                    continue
                for system, result in found.items():
                    seeds = outcomes.results.setdefault(system, [[] for _ in plan.seeds])
                    seeds[plan.seeds.index(seed)].append(result)
    _drop_incomplete(outcomes, plan)
    return outcomes


def _run(
    name: str,
    trial: Trial,
    noise: Noise | None,
    plan: Plan,
    seed: int,
    directory: Path,
    outcomes: Outcomes,
) -> Mapping[str, Result]:
    directory.mkdir(parents=True, exist_ok=True)
    if name in BASELINES:
        first = outcomes.results.get(name)
        if name in DETERMINISTIC and first and len(first[0]) == len(outcomes.trials):
            return {name: first[0][-1]}
        others = [outcomes.directories[-1][0], directory]
        return {name: run_baseline(name, trial, seed, directory, others)}
    _, _, parts = name.partition(":")
    train = replace(plan.tandem.train, seed=seed)
    if parts:
        train = replace(train, parts=parts)
    release, found = run_tandem(trial, noise, replace(plan.tandem, train=train), directory)
    if outcomes.vectors is None:
        outcomes.vectors = _text_vectors(release, trial)
    return {name: found[TANDEM]} if parts else found


def _failure(name: str, error: Exception) -> SystemFailed:
    """Tell of a failure; a fault of ours with where it happened."""
    if isinstance(error, CommandFailed):
        error = SystemFailed(str(error))
    if not isinstance(error, SystemFailed):
        say("".join(traceback.format_exception(error)).rstrip())
        error = SystemFailed(f"{type(error).__name__}: {error}")
    say(f"{name} {'FAILED' if error.applies else 'does not apply'}: {error}")
    return error


def _drop_incomplete(outcomes: Outcomes, plan: Plan) -> None:
    """Leave out what failed on one of its runs, and sources that did not answer on all of them."""
    for name, seeds in list(outcomes.results.items()):
        whole = all(len(folds) == len(outcomes.trials) for folds in seeds)
        served = name not in BASELINES
        if not whole or (served and "tandem" in outcomes.failures) or name in outcomes.failures:
            del outcomes.results[name]
            if not whole and name not in outcomes.failures:
                outcomes.failures[name] = SystemFailed(
                    f"answered on some of {len(plan.seeds) * len(outcomes.trials)} runs only"
                )


def _measured(outcomes: Outcomes) -> tuple[Measure, dict[str, Any], dict[str, Values]]:
    """Return the `systems` of the report, and every system's values request by request."""
    measure = Measure(outcomes.trials, outcomes.vectors)
    systems: dict[str, Any] = {}
    values: dict[str, Values] = {}
    for name, seeds in outcomes.results.items():
        values[name] = measure.values(seeds)
        runs = [result.about for folds in seeds for result in folds]
        known = [about for about in runs if about.get("seconds") is not None]
        peaks = [about["peak_rss_mib"] for about in runs if about.get("peak_rss_mib")]
        systems[name] = {
            "status": "ok",
            **measure.report(name, seeds, values[name]),
            "seconds": round(sum(a["seconds"] for a in known) / len(known), 1) if known else None,
            "peak_rss_mib": max(peaks) if peaks else None,
            "settings": runs[0].get("settings", {}),
            "runs": runs,
        }
    for name, failure in outcomes.failures.items():
        status = "failed" if failure.applies else "not applicable"
        systems[name] = {"status": status, "why": str(failure), "metrics": {}}
    return measure, systems, values


def _degradation(levels: Mapping[float, Outcomes], clean: Mapping[str, Values]) -> dict[str, Any]:
    """Return by share of noise and system: the metrics, and the change from no noise."""
    report: dict[str, Any] = {}
    for share, outcomes in levels.items():
        if not share:
            continue
        measure, systems, values = _measured(outcomes)
        report[f"{share:g}"] = {
            name: {
                "metrics": system["metrics"],
                "change": {
                    metric: measure.difference(values[name], clean[name], metric)
                    for metric in ("ndcg@10", "hr@10")
                }
                if name in values and name in clean
                else {},
                "status": system["status"],
            }
            for name, system in systems.items()
        }
    return report


def _directory(plan: Plan, prefix: str, protocol: Protocol, share: float, seed: int) -> Path:
    inputs = [asdict(protocol), plan.repeat, plan.requests, plan.rated, share, FORMAT]
    settings = sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]
    return plan.work / f"{prefix}-{protocol.name}-{seed}-{settings}"


def _tell(plan: Plan, trial: Trial, share: float) -> None:
    noise = f", {trial.noise:,} of them random ({share:.0%} noise)" if share else ""
    fold = (
        f", fold {trial.protocol.fold + 1} of {plan.protocol.folds}" if plan.protocol.folds else ""
    )
    say(f"{plan.protocol.name}{fold}: {trial.known.sum():,} events are known{noise}")
    asked, every = len(trial.requests), trial.requests_all
    drawn = "all" if asked == every else f"a sample of {every:,}, the same for every system"
    say(f"  {asked:,} requests ({drawn}) of {len(np.unique(trial.requests.users)):,} users")
    if trial.rated_all:
        say(f"  {len(trial.rated):,} of {trial.rated_all:,} labelled rows to be scored")


def _text_vectors(release: Release, trial: Trial) -> npt.NDArray[np.float32]:
    """Return the release's text vectors by the data set's items, zeros for what it lacks."""
    rows = release.items.rows(trial.dataset.items["item_id"].astype(str).tolist())
    vectors = np.array(release.items.text_vectors[rows])
    vectors[rows < 0] = 0.0
    return vectors
