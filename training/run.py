"""One training run, top to bottom: data set -> models -> evaluation -> release."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from features.manifest import DatasetEntry
from features.release import open_release
from models.ranker.ranker import Ranker
from models.ranker.text import PrefixTokenizer
from training.checkpoint import NOWHERE, Checkpoint, open_checkpoint, run_of
from training.datasets.fingerprint import fingerprint
from training.datasets.format import Dataset
from training.datasets.settings import Cleaning
from training.datasets.source import open_dataset
from training.encoding import encode_texts
from training.estimate import estimate
from training.evaluation.against import compare
from training.evaluation.leave_one_out import evaluate, table
from training.examples import Models
from training.fitting import Run, fit_early, fit_ranker, refit
from training.golden import golden_requests
from training.interactions import Interactions, interactions_of
from training.preparation import choose_task, prepare, read_material
from training.progress import Say
from training.ranker.packing import Packer
from training.ranker.start import build_ranker
from training.release import check_target, new_release_id, write_release
from training.settings import TrainSettings
from training.vocabulary import count_names


def train(
    dataset_spec: str,
    out: Path,
    *,
    encoder_target: str,
    encoder_directory: Path,
    settings: TrainSettings | None = None,
    cleaning: Cleaning | None = None,
    warm: Path | None = None,
    against: Path | None = None,
    work: Path | None = None,
    restart: bool = False,
    say: Say = print,
) -> str:
    """Train on a data set, evaluate on each user's last event, write a release; return its id.

    encoder_target: host:port of a Triton that serves `text_encoder` from encoder_directory, which
    also holds the language model that the ranker starts from.
    warm: a release to begin with. against: the one that serves, which is asked for the same events;
    the manifest tells how the new one did beside it.
    work: where progress is kept until the release is written, beside it unless given; a run that
    finds its own there goes on from it, unless `restart`.
    Raises TrainingError, DatasetError or an RPC error; of the release nothing is left half-written.
    """
    check_target(out)
    settings = settings or TrainSettings()
    rejects = out.with_name(f"{out.name}.rejects.csv")
    rejects.parent.mkdir(parents=True, exist_ok=True)
    dataset = open_dataset(dataset_spec, rejects=rejects, cleaning=cleaning)
    say(str(dataset.report))
    checkpoint = open_checkpoint(
        work or out.with_name(f".{out.name}.progress"),
        run_of(dataset, settings, encoder_directory, warm),
        restart=restart,
        say=say,
    )
    return train_release(
        dataset,
        interactions_of(dataset),
        out,
        spec=dataset_spec,
        encoder_target=encoder_target,
        encoder_directory=encoder_directory,
        settings=settings,
        cleaning=cleaning,
        warm=warm,
        against=against,
        say=say,
        test=True,
        checkpoint=checkpoint,
    )


def train_release(
    dataset: Dataset,
    known: Interactions,
    out: Path,
    *,
    spec: str,
    encoder_target: str,
    encoder_directory: Path,
    settings: TrainSettings,
    say: Say,
    cleaning: Cleaning | None = None,
    warm: Path | None = None,
    against: Path | None = None,
    test: bool = False,
    checkpoint: Checkpoint = NOWHERE,
) -> str:
    """Write a release trained on `known`, some or all of a data set's events, and return its id.

    With `test` each user's last target is held out until the report is made, and used after that.
    cleaning: what the data set was opened with. warm: a release to begin with.
    """
    check_target(out)
    torch.manual_seed(settings.seed)
    start = time.monotonic()
    task = choose_task(read_material(dataset, known, settings.seed), settings, test=test)
    say(estimate(task.counts(encoder_directory), settings).line())
    encode = partial(kept_texts, encoder_target, checkpoint)
    language_model = Path(settings.language_model or encoder_directory)
    run, encoder = prepare(
        task, language_model, settings, encode, say, warm=warm, checkpoint=checkpoint
    )

    ranker, tokenizer = build_ranker(dataset, known, encoder_directory, settings)
    if run.warm is not None:
        run.warm.ranker(ranker)
    models = fit_early(run)
    validation = checkpoint.finished("ranker", ranker)
    if validation is None:
        validation = fit_ranker(run, models, ranker, tokenizer)
        checkpoint.finish("ranker", validation, ranker)

    tested: dict[str, Any] = {}
    if test:
        say("collaborative filtering and tower on all but the test targets, for the evaluation")
        models = refit(run, models, known.first(run.split.before_test(known)), "evaluation")
        tested = checkpoint.finished("evaluation") or {}
        if not tested:
            tested = test_run(run, models, ranker, tokenizer, against, encoder)
            checkpoint.finish("evaluation", tested)
        for line in table(tested["report"]):
            say(line)

    say("collaborative filtering and tower on all interactions, for the release")
    models = refit(run, models, known, "release")
    release_id = new_release_id(dataset.name)
    newest_ms = int(known.events.times_ms.max())
    golden = golden_requests(release_id, models, ranker, tokenizer, run.words, newest_ms, settings)
    write_release(
        out,
        release_id,
        models.tables,
        models.tower.tower,
        ranker,
        language_model,
        golden,
        count_names(dataset),
        dataset=dataset_entry(dataset, known, spec, cleaning or Cleaning()),
        encoder={"version": encoder, "dimension": run.base.text_vectors.shape[1]},
        metrics={"leave_one_out": tested.get("report", {}), "validation": validation},
        settings=asdict(settings),
        friends=len(run.friends) > 0,
        warm_start=run.warm.release.release_id if run.warm else "",
        against=tested.get("against"),
        version=version("tandem-recsys"),
    )
    checkpoint.remove()
    say(f"release {release_id} written to {out} after {time.monotonic() - start:.0f} s")
    return release_id


def test_run(
    run: Run,
    models: Models,
    ranker: Ranker,
    tokenizer: PrefixTokenizer,
    against: Path | None,
    encoder: str,
) -> dict[str, Any]:
    """Return the report on the test targets and, with a release to stand against, how it does."""
    examples = list(run.maker(models).examples(run.targets.test))
    packer = Packer(run.maker(models), tokenizer)
    report, places = evaluate(ranker, packer, examples, run.say)
    entry = None
    if against is not None:
        live = open_release(against, verify=False)
        if live.encoder_version == encoder:
            entry = compare(live, run, ranker, packer, places)
        else:
            run.say(f"{live.release_id} is not compared: it has another text encoder")
    return {"report": report, "against": entry}


def kept_texts(
    target: str, checkpoint: Checkpoint, texts: Sequence[str], say: Say
) -> tuple[npt.NDArray[np.float32], str]:
    """Return texts' vectors and the encoder's version, encoded anew only if they were not kept."""
    found = checkpoint.load("texts")
    if found is not None:
        return found[1]["vectors"].numpy(), str(found[0]["encoder"])
    vectors, encoder = encode_texts(target, texts, say)
    checkpoint.save("texts", {"encoder": encoder}, {"vectors": torch.from_numpy(vectors)})
    return vectors, encoder


def dataset_entry(
    dataset: Dataset, known: Interactions, spec: str, cleaning: Cleaning
) -> DatasetEntry:
    """Return what the manifest tells of the data."""
    return {
        "spec": absolute_spec(spec),
        "clean": cleaning.words(),
        "name": dataset.name,
        "fingerprint": fingerprint(dataset),
        "repeat": dataset.repeat,
        "interactions": len(known.events),
        "newest_event_ms": int(known.events.times_ms.max()),
        "items": len(dataset.items),
        "users": len(dataset.users),
    }


def absolute_spec(spec: str) -> str:
    """Return a data set's spec with its path made absolute, so that it is found from anywhere."""
    kind, separator, rest = spec.rpartition(":")
    return f"{kind}{separator}{Path(rest).resolve()}"
