"""The search: a study for each part, one after another, until the budget is spent."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median

import optuna
from optuna.trial import TrialState

from training.progress import Say
from training.settings import TrainSettings
from training.tuning.objectives import Objectives
from training.tuning.space import SPACES, changed, current, including

# The share of the whole budget by whose end a part's study ends. What one leaves the next has.
ENDS: Mapping[str, float] = {"cf": 0.15, "neighbours": 0.25, "tower": 0.55, "ranker": 1.0}
# The names of the studies of what was fitted in another way must not be taken up.
VERSION = 1


class OutOfTime(Exception):
    """The budget ended within a trial."""


@dataclass(frozen=True)
class Found:
    """What a study found. default, best: validation NDCG@10, None where no trial was finished."""

    part: str
    trials: int
    default: float | None
    best: float | None
    changes: dict[str, object]

    def line(self) -> str:
        """Return what people are told."""
        if self.best is None:
            return f"{self.part}: no trial was finished; its settings stay as they were"
        had = "?" if self.default is None else f"{self.default:.4f}"
        said = ", ".join(f"{name}={_short(value)}" for name, value in self.changes.items())
        return (
            f"{self.part}: validation NDCG@10 {had} as it was, {self.best:.4f} as the best of "
            f"{self.trials} trials with {said}"
        )


def search(
    objectives: Objectives,
    base: TrainSettings,
    *,
    storage: Path,
    key: str,
    start: float,
    budget_s: float,
    trials: int | None,
    say: Say,
) -> tuple[TrainSettings, list[Found]]:
    """Return the best settings that a budget found, and what each study says.

    storage: an SQLite file; studies that are in it already go on. key: tells data sets apart.
    start: when the budget began, by the monotonic clock. trials: of each study at most, those of
    earlier runs counted. The first trial of each study is
    `base` itself, so that what is returned is never worse than it on validation. A part whose trial
    is expected to take longer than what is left is passed over.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    settings, found = base, list[Found]()
    for part in parts(objectives, base):
        study = _study(part, settings, storage, key)
        end = start + budget_s * ENDS[part]
        left, takes = start + budget_s - time.monotonic(), objectives.takes(part, settings)
        if not _done(study) and takes > left:
            say(f"{part}: a trial takes about {takes / 60:.0f} min, more than is left; not tried")
            continue
        _trials(study, part, objectives, settings, end, start + budget_s, trials, say)
        found.append(_found(study, part, settings))
        settings = changed(settings, found[-1].changes)
        say(found[-1].line())
    return settings, found


def parts(objectives: Objectives, base: TrainSettings) -> list[str]:
    """Return the parts that are searched; neighbours by cosine have nothing to search."""
    ease = objectives.data.material.known.items <= base.ease_items
    return [part for part in SPACES if part != "neighbours" or ease]


def _study(part: str, settings: TrainSettings, storage: Path, key: str) -> optuna.Study:
    """Open the study of a part on top of settings: what differs in those is another study."""
    fixed = asdict(settings)
    # A part alone does not read what the others are set to.
    if part != "ranker":
        others = [k for name, space in SPACES.items() if name != part for k in space]
        fixed = {k: v for k, v in fixed.items() if k not in others}
    told = json.dumps([VERSION, key, fixed], sort_keys=True)
    name = f"{part}-{sha256(told.encode()).hexdigest()[:16]}"
    study = optuna.create_study(
        study_name=name,
        storage=f"sqlite:///{storage}",
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=settings.seed, n_startup_trials=6),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=3),
    )
    # The settings as they are come first, and again where an earlier run did not get through.
    untried = (TrialState.COMPLETE, TrialState.WAITING)
    if not study.get_trials(deepcopy=False, states=untried):
        study.enqueue_trial(current(part, settings))
    return study


def _trials(
    study: optuna.Study,
    part: str,
    objectives: Objectives,
    settings: TrainSettings,
    end: float,
    deadline: float,
    trials: int | None,
    say: Say,
) -> None:
    """Run trials until `end`; one that is under way then goes on, but never beyond `deadline`."""
    space = including(part, settings)
    while trials is None or len(_done(study)) < trials:
        took = [t.duration.total_seconds() for t in _done(study) if t.duration is not None]
        now = time.monotonic()
        if now >= end or (took and now + median(took) > deadline):
            break
        trial = study.ask(space)
        values: list[float] = []

        def watch(value: float, trial: optuna.Trial = trial, values: list[float] = values) -> None:
            values.append(value)
            trial.report(value, len(values))
            if trial.should_prune():
                raise optuna.TrialPruned

        def tick() -> None:
            if time.monotonic() > deadline:
                raise OutOfTime

        try:
            value = objectives.value(part, changed(settings, trial.params), watch, tick)
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
            say(f"{part}, trial {trial.number}: given up, behind most after {len(values)} epochs")
        except OutOfTime:
            study.tell(trial, state=TrialState.FAIL)
            say(f"{part}, trial {trial.number}: not finished, the budget is spent")
            break
        except BaseException:
            # Also when it is told to stop: the study must not keep a trial that never ends.
            study.tell(trial, state=TrialState.FAIL)
            raise
        else:
            study.tell(trial, value)
            said = ", ".join(f"{name}={_short(v)}" for name, v in trial.params.items())
            say(f"{part}, trial {trial.number}: validation NDCG@10 {value:.4f} with {said}")


def _done(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _found(study: optuna.Study, part: str, settings: TrainSettings) -> Found:
    now = current(part, settings)
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return Found(part, 0, None, None, now)
    default = next((trial.value for trial in complete if trial.params == now), None)
    return Found(part, len(_done(study)), default, study.best_value, study.best_params)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
