"""One training run, top to bottom: data set -> models -> evaluation -> release."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from features.release import DatasetEntry
from models.ranker.ranker import language_model_config
from models.ranker.text import CandidateTokenizer
from training.checkpoint import NOWHERE, Checkpoint, open_checkpoint, run_of
from training.datasets.fingerprint import fingerprint
from training.datasets.format import Dataset
from training.datasets.settings import Cleaning
from training.datasets.source import open_dataset
from training.encoding import encode_texts
from training.errors import TrainingError
from training.estimate import Counts, estimate
from training.evaluation.leave_one_out import evaluate, table
from training.fitting import Run, fit_early, fit_ranker, refit
from training.golden import golden_requests
from training.interactions import Interactions, interactions_of
from training.item_table import item_texts, new_item_table
from training.progress import Say
from training.ranker.packing import Packer
from training.ranker.start import build_ranker
from training.release import check_target, new_release_id, write_release
from training.settings import TrainSettings
from training.split import leave_last_out
from training.targets import Targets, choose_targets
from training.warm_start import warm_start
from training.words import collect_words


def train(
    dataset_spec: str,
    out: Path,
    *,
    encoder_target: str,
    encoder_directory: Path,
    settings: TrainSettings | None = None,
    cleaning: Cleaning | None = None,
    warm: Path | None = None,
    work: Path | None = None,
    restart: bool = False,
    say: Say = print,
) -> str:
    """Train on a data set, evaluate on each user's last event, write a release; return its id.

    encoder_target: host:port of a Triton that serves `text_encoder` from encoder_directory, which
    also holds the language model that the ranker starts from.
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
    if len(known.events) < 2 or known.items < 2:
        raise TrainingError(f"{spec} has fewer than 2 interactions or items to learn from")

    texts = item_texts(dataset)
    words = collect_words(dataset, known, settings.seed)
    split = leave_last_out(known, dataset.repeat, settings, test=test)
    targets = choose_targets(split, known, words, settings)
    said = targets.words()
    spoken = [words.texts[place] for place in said]
    counts = counts_of(known, texts + spoken, targets, encoder_directory)
    say(estimate(counts, settings).line())
    vectors, encoder_version = kept_texts(encoder_target, texts + spoken, checkpoint, say)
    language_model = Path(settings.language_model or encoder_directory)
    tokens = CandidateTokenizer(language_model, settings.candidate_tokens).tokens(texts)
    base = new_item_table(dataset, texts, vectors[: len(texts)], tokens)
    words = replace(words, vectors=np.zeros((len(words.texts), vectors.shape[1]), np.float32))
    words.vectors[said] = vectors[len(texts) :]

    begun = warm_start(warm, base, dataset.name, encoder_version, say) if warm else None
    run = Run(base, known, dataset.repeat, words, split, targets, settings, say, begun, checkpoint)
    ranker, tokenizer = build_ranker(dataset, known, encoder_directory, settings)
    if begun is not None:
        begun.ranker(ranker)
    models = fit_early(run)
    validation = checkpoint.finished("ranker", ranker)
    if validation is None:
        validation = fit_ranker(run, models, ranker, tokenizer)
        checkpoint.finish("ranker", validation, ranker)
    report = {}
    if test:
        say("collaborative filtering and tower on all but the test targets, for the evaluation")
        models = refit(run, models, known.first(split.before_test(known)), "evaluation")
        report = checkpoint.finished("evaluation")
        if report is None:
            tested = list(run.maker(models).examples(targets.test))
            report = evaluate(ranker, Packer(run.maker(models), tokenizer), tested, say)
            checkpoint.finish("evaluation", report)
        for line in table(report):
            say(line)

    say("collaborative filtering and tower on all interactions, for the release")
    models = refit(run, models, known, "release")
    release_id = new_release_id(dataset.name)
    newest_ms = int(known.events.times_ms.max())
    golden = golden_requests(release_id, models, ranker, tokenizer, words, newest_ms, settings)
    entry: DatasetEntry = {
        "spec": absolute_spec(spec),
        "clean": (cleaning or Cleaning()).words(),
        "name": dataset.name,
        "fingerprint": fingerprint(dataset),
        "repeat": dataset.repeat,
        "interactions": len(known.events),
        "items": len(dataset.items),
        "users": len(dataset.users),
    }
    write_release(
        out,
        release_id,
        models.tables,
        models.tower.tower,
        ranker,
        language_model,
        golden,
        dataset=entry,
        encoder={"version": encoder_version, "dimension": vectors.shape[1]},
        metrics={"leave_one_out": report, "validation": validation},
        settings=asdict(settings),
        warm_start=begun.release.release_id if begun else "",
        version=version("tandem-recsys"),
    )
    checkpoint.remove()
    say(f"release {release_id} written to {out} after {time.monotonic() - start:.0f} s")
    return release_id


def kept_texts(
    target: str, texts: Sequence[str], checkpoint: Checkpoint, say: Say
) -> tuple[npt.NDArray[np.float32], str]:
    """Return texts' vectors and the encoder's version, encoded anew only if they were not kept."""
    found = checkpoint.load("texts")
    if found is not None:
        return found[1]["vectors"].numpy(), str(found[0]["encoder"])
    vectors, encoder = encode_texts(target, texts, say)
    checkpoint.save("texts", {"encoder": encoder}, {"vectors": torch.from_numpy(vectors)})
    return vectors, encoder


def counts_of(
    known: Interactions, texts: Sequence[str], targets: Targets, encoder_directory: Path
) -> Counts:
    """Return what decides on the time and memory of a run."""
    language_model = language_model_config(encoder_directory)
    return Counts(
        events=len(known.events),
        items=known.items,
        texts=len(texts),
        characters=sum(map(len, texts)),
        learn=len(targets.learn),
        validate=len(targets.validate),
        test=len(targets.test),
        text_width=int(str(language_model["hidden_size"])),
        language_model=language_model,
    )


def absolute_spec(spec: str) -> str:
    """Return a data set's spec with its path made absolute, so that it is found from anywhere."""
    kind, separator, rest = spec.rpartition(":")
    return f"{kind}{separator}{Path(rest).resolve()}"
