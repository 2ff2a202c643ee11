"""The baselines: programs of an environment of their own, one process for each system."""

import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tandem_cli.console import say
from tandem_cli.evaluation.children import run_child
from tandem_cli.failure import CommandFailed
from training.evaluation.trial import Trial
from training.evaluation.trial_file import ABOUT, Result, read_result, write_about, write_trial

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-baselines" / "bin" / "python"
SETUP = ROOT / "scripts" / "setup_baselines"
BASELINES = (
    "popular",
    "popular_7d",
    "most_visited",
    "itemknn",
    "ease",
    "ials",
    "lightfm",
    "sasrec",
    "fusion",
    "label_gbdt",
)
# Nothing in them is drawn at random, so that one seed tells all.
DETERMINISTIC = ("popular", "popular_7d", "most_visited", "itemknn", "ease")
# They are made of others, whose chosen settings they take over where those have been run.
FUSED = ("fusion", "label_gbdt")
NOT_APPLICABLE = 3
TRIAL = "trial.npz"


class SystemFailed(Exception):
    """A system gave no result; the text says why. `applies` is False where it cannot."""

    def __init__(self, why: str, *, applies: bool = True) -> None:
        super().__init__(why)
        self.applies = applies


def set_up_baselines() -> None:
    """Make the environment, or bring it up to date. Raises CommandFailed."""
    if not SETUP.is_file():
        raise CommandFailed(f"the baselines come with the repository: there is no {SETUP}")
    if subprocess.run([SETUP], check=False).returncode != 0:
        raise CommandFailed(f"{SETUP} failed; the baselines cannot be run")


def run_baseline(
    name: str, trial: Trial, seed: int, directory: Path, others: Sequence[Path] = ()
) -> Result:
    """Return what a baseline answers to a trial, as kept or by running it. Raises SystemFailed.

    others: directories of the same trial, from which settings that were chosen are taken over.
    """
    out = directory / f"{name}-{code_hash('baselines')}"
    kept = read_result(out, trial)
    if kept is not None:
        say(f"{name}: kept from an earlier run")
        return kept
    if not (directory / TRIAL).is_file():
        write_trial(trial, directory / TRIAL)
    command: list[str | Path] = [PYTHON, "-m", "baselines", name]
    command += ["--trial", (directory / TRIAL).absolute(), "--out", out.absolute()]
    command += ["--seed", str(seed)]
    if name in FUSED:
        chosen = {other.name: other for place in others for other in _kept(place)}
        command += [part for other in chosen.values() for part in ("--reuse", other / ABOUT)]
    ended = run_child(
        name,
        command,
        directory / "log" / f"{name}.log",
        ROOT,
        lambda line: say(f"  {name}: {line.strip().removeprefix(f'{name}: ')}"),
    )
    last = ended.lines[-1] if ended.lines else "no output"
    if ended.status == NOT_APPLICABLE:
        raise SystemFailed(last.removeprefix("not applicable: "), applies=False)
    if ended.status != 0:
        raise SystemFailed(f"ended with status {ended.status}: {last}")
    try:
        result = read_result(out, trial)
    except ValueError as error:
        raise SystemFailed(f"its result does not fit the trial: {error}") from error
    if result is None:
        raise SystemFailed("ended well but wrote no result")
    # As seen from outside: interpreter and imports included, and no parent's memory counted.
    result.about.update(seconds=ended.seconds, peak_rss_mib=ended.peak_rss_mib)
    write_about(out, result.about)
    return result


def _kept(directory: Path) -> list[Path]:
    """Return the absolute directories of results of baselines that stand alone."""
    suffix = code_hash("baselines")
    places = [directory.absolute() / f"{name}-{suffix}" for name in BASELINES if name not in FUSED]
    return [place for place in places if (place / ABOUT).is_file()]


def code_hash(*parts: str) -> str:
    """Return a short hash of some files and packages of ours: of what made a kept result.

    How results are measured is no part of `training` here, for that is done anew each time.
    """
    digest = sha256()
    for part in parts:
        path = ROOT / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if part == "training" and "evaluation" in file.parts:
                continue
            digest.update(str(file.relative_to(ROOT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:8]
