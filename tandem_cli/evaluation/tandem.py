"""Tandem as a system of the evaluation: trained in a process of its own, asked through a stack."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import grpc
import numpy as np
import numpy.typing as npt

from features.release import Release, open_release
from serving.errors import ReleaseUnusable
from tandem_cli.commands.train import triton_for
from tandem_cli.console import say
from tandem_cli.encoders import encoder_of
from tandem_cli.evaluation.baselines import SystemFailed, code_hash
from tandem_cli.evaluation.children import run_child
from tandem_cli.evaluation.temporary_stack import temporary_stack
from tandem_cli.failure import CommandFailed
from training.datasets.settings import Cleaning
from training.encoding import encode_texts
from training.evaluation.answers import Answers
from training.evaluation.noise import Noise
from training.evaluation.served import Replay
from training.evaluation.train_known import Job, write_job
from training.evaluation.trial import Trial
from training.evaluation.trial_file import ABOUT, Result, read_result, write_result
from training.settings import TrainSettings

# What decides on a release, and what besides decides on what is answered from it.
TRAINING_CODE = ("features", "models", "training")
SERVING_CODE = ("gateway_service", "ranking_service", "retrieval_service", "serving")
ASKING_CODE = ("answers.py", "in_process.py", "replay_order.py", "served.py")
SERVED = "served"
PARITY_REQUESTS = 50


@dataclass(frozen=True)
class TandemSettings:
    """How Tandem is trained and served. encoder: an encoder directory; encoders: where they are.

    encoder_target: of a running Triton, "" to start one. release: one that is there already, which
    is then not trained. cleaning: what the data set was opened with. in_process: ask no services,
    for where no stack can run.
    """

    spec: str
    train: TrainSettings
    cleaning: Cleaning
    encoder: Path
    encoders: Path
    encoder_target: str = ""
    release: Path | None = None
    in_process: bool = False


def run_tandem(
    trial: Trial, noise: Noise | None, settings: TandemSettings, directory: Path
) -> tuple[Release, Mapping[str, Result]]:
    """Return the release and what it answers: `tandem`, `union` and each source.

    What an earlier run of the same code and settings left is used. Raises SystemFailed.
    """
    home = directory / f"tandem-{_key(settings)}"
    try:
        release, training = _release(trial, noise, settings, home)
        asking = [f"training/evaluation/{file}" for file in ASKING_CODE]
        if settings.in_process:
            served = home / f"in-process-{code_hash(*TRAINING_CODE, *asking)}"
        else:
            served = home / f"{SERVED}-{code_hash('features', 'models', *SERVING_CODE, *asking)}"
        if not (served / ABOUT).is_file():
            if settings.in_process:
                _ask_in_process(trial, release, training, settings, served)
            else:
                asyncio.run(_serve(trial, release, training, settings, home, served))
        return release, _read(served, trial)
    except (CommandFailed, ReleaseUnusable) as error:
        raise SystemFailed(str(error)) from error
    except grpc.RpcError as error:
        raise SystemFailed(_one_line(error)) from error
    except ExceptionGroup as errors:
        if (others := errors.split(grpc.RpcError)[1]) is not None:
            raise others from None
        raise SystemFailed(_one_line(errors.exceptions[0])) from errors


def _one_line(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    call = cast(grpc.Call, error)
    return f"a service failed: {call.code().name}: {call.details()}"


def _key(settings: TandemSettings) -> str:
    release = str(settings.release.resolve()) if settings.release else ""
    inputs = [asdict(settings.train), settings.encoder.name, release]
    if not release:
        inputs.append(code_hash(*TRAINING_CODE))
    return sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]


def _release(
    trial: Trial, noise: Noise | None, settings: TandemSettings, home: Path
) -> tuple[Release, dict[str, Any]]:
    """Return the release to ask and what training it took."""
    if settings.release is not None:
        release = open_release(settings.release)
        if release.repeat != trial.repeat:
            allowed = "offers" if release.repeat else "leaves out"
            raise SystemFailed(f"{settings.release} {allowed} what was seen, unlike this trial")
        learned, known = release.manifest["dataset"]["interactions"], int(trial.known.sum())
        if learned != known:
            say(
                f"{settings.release} learned from {learned:,} events, this trial lets models see "
                f"{known:,}: it may know what it is asked, so that its figures mean little"
            )
        return release, {"release": release.uri, "learned_from": learned}
    job = Job(
        directory=str(home.absolute()),
        spec=settings.spec,
        repeat=trial.repeat,
        encoder_target="",
        encoder_directory=str(settings.encoder.absolute()),
        settings=settings.train,
        cleaning=settings.cleaning,
    )
    if not job.about.is_file():
        if job.release.exists():  # of a run that ended between the two
            shutil.rmtree(job.release)
        with triton_for(settings.encoder, settings.encoder_target) as target:
            file = write_job(replace(job, encoder_target=target), trial, noise).absolute()
            command = [sys.executable, "-m", "training.evaluation.train_known", str(file)]
            log_file = home / "train.log"
            ended = run_child(
                "training", command, log_file, Path.cwd(), lambda x: say(f"  tandem: {x}")
            )
        if ended.status != 0:
            last = ended.lines[-1] if ended.lines else "no output"
            raise SystemFailed(f"training ended with status {ended.status}: {last} ({log_file})")
    else:
        say("tandem: the release is kept from an earlier run")
    return open_release(job.release), json.loads(job.about.read_text())


async def _serve(
    trial: Trial,
    release: Release,
    training: Mapping[str, Any],
    settings: TandemSettings,
    home: Path,
    served: Path,
) -> None:
    """Ask a stack of its own and keep the answers."""
    start = time.monotonic()
    encoder = encoder_of(release, settings.encoders)
    async with temporary_stack(release, encoder, home) as stack:
        replay = Replay(stack.at, release, trial, say)
        try:
            await replay.ingest()
            asked = time.monotonic()
            answers = await replay.ask()
            now = time.monotonic()
            stack.note_memory()
            parity = await asyncio.to_thread(_parity, release, trial, answers, stack.encoder)
        finally:
            await replay.close()
    about = {
        "settings": asdict(settings.train) if settings.release is None else {},
        "release_id": release.release_id,
        "training": dict(training),
        "serving": {
            **answers.about(),
            "replay_seconds": round(now - asked, 1),
            "memory_mib": stack.memory_mib,
            "parity": parity,
        },
        "seconds": round(training.get("seconds", 0.0) + now - start, 1),
        "peak_rss_mib": training.get("peak_rss_mib"),
    }
    _write(served, answers, about)


def _ask_in_process(
    trial: Trial,
    release: Release,
    training: Mapping[str, Any],
    settings: TandemSettings,
    served: Path,
) -> None:
    """Ask exact sources and the ranker in this process and keep the answers."""
    from training.evaluation.in_process import answer_in_process

    start = time.monotonic()
    answers = Answers(trial)
    encoder = encoder_of(release, settings.encoders)

    def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        with triton_for(encoder, settings.encoder_target) as target:
            return encode_texts(target, texts, say)[0]

    everything = range(len(trial.requests))
    answers.ranked |= answer_in_process(release, trial, everything, encode, say)
    about = {
        "settings": asdict(settings.train) if settings.release is None else {},
        "release_id": release.release_id,
        "training": dict(training),
        "in_process": True,
        "seconds": round(training.get("seconds", 0.0) + time.monotonic() - start, 1),
        "peak_rss_mib": training.get("peak_rss_mib"),
    }
    _write(served, answers, about)


def _parity(
    release: Release, trial: Trial, answers: Answers, encoder_target: str
) -> dict[str, float]:
    """Compare what was served with what the same release answers in process, on some requests."""
    from training.evaluation.in_process import answer_in_process, parity

    if "union" not in answers.ranked:
        return {}
    asked = Result(answers.ranked["union"], answers.label_scores, {}).asked
    numbers = np.flatnonzero(asked)[:PARITY_REQUESTS].tolist()

    def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return encode_texts(encoder_target, texts, say)[0]

    exact = answer_in_process(release, trial, numbers, encode, say)
    return parity(answers.ranked, exact, numbers)


def _write(served: Path, answers: Answers, about: dict[str, Any]) -> None:
    """Keep every system's result, and last of all their names."""
    for name, ranked in answers.ranked.items():
        own = about if name == "tandem" else {"release_id": about["release_id"]}
        scores = answers.label_scores if name == "tandem" else answers.label_scores * float("nan")
        write_result(served / name, ranked, scores, own)
    (served / ABOUT).write_text(json.dumps(list(answers.ranked)))


def _read(served: Path, trial: Trial) -> dict[str, Result]:
    found = {}
    for name in json.loads((served / ABOUT).read_text()):
        result = read_result(served / name, trial)
        assert result is not None
        found[name] = result
    return found
