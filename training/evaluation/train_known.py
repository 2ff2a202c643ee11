"""`python -m training.evaluation.train_known JOB`: one training run of an evaluation.

A process of its own, so that its time and memory are its own.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from training.datasets import Cleaning, DatasetError, open_dataset
from training.errors import TrainingError
from training.evaluation.noise import Noise, noisy_dataset
from training.evaluation.trial import Trial
from training.interactions import interactions_of
from training.settings import TrainSettings

ROWS = "known_rows.npy"
NOISE = "noise.npz"
JOB = "job.json"
ABOUT = "train.json"
KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Job:
    """What is to be trained. directory: holds the job and gets the release and what it took."""

    directory: str
    spec: str
    repeat: bool
    encoder_target: str
    encoder_directory: str
    settings: TrainSettings
    cleaning: Cleaning

    @property
    def release(self) -> Path:
        """The release directory."""
        return Path(self.directory) / "release"

    @property
    def about(self) -> Path:
        """What it took, written when all is done."""
        return Path(self.directory) / ABOUT


def write_job(job: Job, trial: Trial, noise: Noise | None) -> Path:
    """Write what the process reads; return the job's file."""
    directory = Path(job.directory)
    directory.mkdir(parents=True, exist_ok=True)
    np.save(directory / ROWS, trial.events.file_rows[trial.known])
    (directory / NOISE).unlink(missing_ok=True)
    if noise is not None:
        noise.save(directory / NOISE)
    file = directory / JOB
    file.write_text(json.dumps(asdict(job), indent=1) + "\n", encoding="utf-8")
    return file


def train(file: Path) -> None:
    """Train on the rows that the job names. Raises DatasetError, TrainingError or an RPC error."""
    content = json.loads(file.read_text(encoding="utf-8"))
    settings, cleaning = TrainSettings(**content["settings"]), Cleaning(**content["cleaning"])
    job = Job(**{**content, "settings": settings, "cleaning": cleaning})
    directory, start = Path(job.directory), time.monotonic()

    def say(message: str) -> None:
        for line in message.splitlines():
            print(f"{time.monotonic() - start:6.0f} s  {line}", flush=True)

    from transformers.utils.logging import disable_progress_bar

    from training.run import train_release

    disable_progress_bar()
    dataset = open_dataset(job.spec, rejects=None, cleaning=job.cleaning)
    dataset = replace(dataset, repeat=job.repeat)
    if (directory / NOISE).exists():
        dataset = noisy_dataset(dataset, Noise.load(directory / NOISE))
    events = interactions_of(dataset)
    known = events.where(np.isin(events.file_rows, np.load(directory / ROWS)))
    train_release(
        dataset,
        known,
        job.release,
        spec=job.spec,
        encoder_target=job.encoder_target,
        encoder_directory=Path(job.encoder_directory),
        settings=job.settings,
        say=say,
        cleaning=job.cleaning,
    )
    about = {"seconds": round(time.monotonic() - start, 1), "peak_rss_mib": peak_rss_mib()}
    job.about.write_text(json.dumps(about) + "\n", encoding="utf-8")


def peak_rss_mib() -> float:
    """Return the most memory that this process held, MiB.

    Not `ru_maxrss`: that of a child begins with what its parent held.
    """
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / KIB_PER_MIB, 1)
    return 0.0


if __name__ == "__main__":
    try:
        train(Path(sys.argv[1]))
    except (DatasetError, TrainingError) as error:
        sys.exit(str(error))
