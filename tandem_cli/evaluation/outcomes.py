"""What the systems of an evaluation answer, fold by fold and seed by seed."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.release import Release
from tandem_cli.console import say
from tandem_cli.evaluation.baselines import BASELINES, DETERMINISTIC, SystemFailed, run_baseline
from tandem_cli.evaluation.plan import Plan
from tandem_cli.evaluation.tandem import run_tandem
from tandem_cli.failure import CommandFailed
from training.evaluation.answers import TANDEM
from training.evaluation.noise import Noise, draw_noise, with_noise
from training.evaluation.trial import Trial, make_trial
from training.evaluation.trial_file import Result


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


def run_systems(plan: Plan, share: float) -> Outcomes:
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
        places = [plan.directory(protocol, share, seed) for seed in plan.seeds]
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
