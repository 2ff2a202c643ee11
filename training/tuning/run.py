"""One search, top to bottom: data set -> studies -> a file of settings."""

import json
import time
from dataclasses import asdict
from pathlib import Path

from training.datasets.fingerprint import fingerprint
from training.datasets.settings import Cleaning
from training.datasets.source import open_dataset
from training.progress import Say
from training.settings import TrainSettings
from training.tuning.data import tuning_data
from training.tuning.objectives import Objectives
from training.tuning.search import search

STUDIES = "studies.db"
SETTINGS = "settings.json"
REPORT = "report.json"


def tune(
    dataset_spec: str,
    work: Path,
    *,
    encoder_target: str,
    encoder_directory: Path,
    budget_s: float,
    trials: int | None = None,
    settings: TrainSettings | None = None,
    cleaning: Cleaning | None = None,
    say: Say = print,
) -> Path:
    """Search settings of training within a budget of seconds; return the file that holds them.

    The file is a JSON object of what was searched and of what `settings` changed. Studies are kept
    in `work`, where a second call goes on with them. Each user's last target, the test's, is not
    looked at. Raises TrainingError, DatasetError or an RPC error.
    """
    start = time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    base = settings or TrainSettings()
    dataset = open_dataset(dataset_spec, rejects=None, cleaning=cleaning)
    say(str(dataset.report))
    data = tuning_data(dataset, encoder_target, encoder_directory, base, say)
    found, studies = search(
        Objectives(data, say),
        base,
        storage=work / STUDIES,
        key=f"{fingerprint(dataset)} {encoder_directory.name}",
        start=start,
        budget_s=budget_s,
        trials=trials,
        say=say,
    )
    defaults = asdict(TrainSettings())
    # What was searched is written even where the search came back to today's default.
    searched = {name for one in studies for name in one.changes}
    changes = {
        name: value
        for name, value in asdict(found).items()
        if name in searched or value != defaults[name]
    }
    file = work / SETTINGS
    file.write_text(json.dumps(changes, indent=1) + "\n", encoding="utf-8")
    report = {
        "dataset": {"spec": dataset_spec, "clean": (cleaning or Cleaning()).words()},
        "budget_minutes": budget_s / 60,
        "seconds": round(time.monotonic() - start, 1),
        "studies": [asdict(one) for one in studies],
    }
    (work / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return file
