"""One training run, top to bottom: data set -> models -> evaluation -> release."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from features.candidates import FEATURES
from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH
from features.item_table import ItemTable
from features.release import DatasetEntry
from features.tower import TowerSpace
from features.user_view import ReleaseTables
from models.ranker.config import RankerConfig
from models.ranker.ranker import Ranker, language_model_config, new_ranker
from models.ranker.text import PrefixTokenizer
from training.cf import fit_cf, fit_neighbours
from training.checkpoint import NOWHERE, Checkpoint, open_checkpoint, run_of
from training.datasets.fingerprint import fingerprint
from training.datasets.format import Dataset
from training.datasets.settings import Cleaning
from training.datasets.source import open_dataset
from training.encoding import encode_texts
from training.errors import TrainingError
from training.estimate import Counts, estimate
from training.evaluation.leave_one_out import evaluate, table
from training.examples import ExampleMaker, Models
from training.golden import golden_requests
from training.interactions import Interactions, interactions_of
from training.item_table import counted, item_texts, new_item_table
from training.judgements import judged_targets, judgements
from training.parts import parts_of
from training.progress import Say, tracked
from training.ranker.adapters import add_adapters, merge_adapters
from training.ranker.calibration import calibrate
from training.ranker.labels import event_labels
from training.ranker.loop import train_ranker
from training.ranker.outcomes import outcome_labels
from training.ranker.packing import Packer
from training.ranker.quality import validation_quality
from training.ratings import fit_ratings
from training.release import check_target, new_release_id, write_release
from training.settings import TrainSettings
from training.split import Split, leave_last_out
from training.targets import Targets, choose_targets
from training.tower.loop import fit_tower, new_tower
from training.tower.validation import Validation
from training.warm_start import WarmStart, warm_start
from training.words import Words, collect_words

# How a value is made of the outcomes that a release's model knows.
VALUE_WEIGHTS = {"engage": 1.0, "like": 0.1, "purchase": 0.1}


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
    base = new_item_table(dataset, texts, vectors[: len(texts)])
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
        Path(settings.language_model or encoder_directory),
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


def build_ranker(
    dataset: Dataset, interactions: Interactions, directory: Path, settings: TrainSettings
) -> tuple[Ranker, PrefixTokenizer]:
    """Return an untrained ranker on a pretrained language model, and its tokenizer."""
    ratings = interactions.events.ratings[np.isfinite(interactions.events.ratings)]
    labels = outcome_labels(interactions.events, float(ratings.max(initial=0.0)))
    own = Path(settings.language_model or directory)
    language_model = language_model_config(own)
    parts = parts_of(settings.parts)
    config = RankerConfig(
        language_model=language_model,
        items=len(dataset.items),
        text_width=int(str(language_model_config(directory)["hidden_size"])),
        features=FEATURES,
        event_width=EVENT_WIDTH,
        context_width=CONTEXT_WIDTH,
        outcomes=["engage", *labels],
        rating_mean=float(ratings.mean()) if len(ratings) else 0.0,
        rating_scale=max(float(ratings.std()), 1e-3) if len(ratings) else 1.0,
        value_weights=VALUE_WEIGHTS,
        id_width=settings.id_width,
        max_history=settings.max_history,
        withheld=parts.withheld,
        language=parts.language,
        ids=parts.ids,
    )
    return new_ranker(config, own), PrefixTokenizer(own, config.max_text_tokens)


@dataclass(frozen=True)
class Run:
    """What one run knows before anything is fitted."""

    base: ItemTable
    known: Interactions
    repeat: bool
    words: Words
    split: Split
    targets: Targets
    settings: TrainSettings
    say: Say
    warm: WarmStart | None = None
    checkpoint: Checkpoint = NOWHERE

    def maker(self, models: Models) -> ExampleMaker:
        """Return what makes examples from fitted models."""
        return ExampleMaker(models, self.known, self.words, self.repeat, self.settings)


def fit_early(run: Run) -> Models:
    """Fit collaborative filtering and tower on what precedes the ranker's window."""
    run.say("collaborative filtering and tower on what precedes the ranker's window")
    settings = run.settings
    early = run.known.first(run.split.fit_counts)
    tower = new_tower(early, run.base.text_vectors.shape[1], settings)
    if run.warm is not None:
        run.warm.tower(tower)
    validation = Validation(run.known, run.targets.validate, run.repeat)
    fitted = fit_tower(
        tower,
        run.base,
        early,
        run.repeat,
        settings,
        run.say,
        validate=validation,
        epochs=settings.tower_epochs,
        checkpoint=run.checkpoint,
    )
    return Models(fit_tables(run.base, early, fitted.space, settings), fitted)


def refit(run: Run, models: Models, known: Interactions, purpose: str) -> Models:
    """Fit again on more: collaborative filtering anew, the tower from where it is."""
    tower = fit_tower(
        models.tower.tower,
        run.base,
        known,
        run.repeat,
        run.settings,
        run.say,
        epochs=run.settings.tower_refit_epochs,
        checkpoint=run.checkpoint,
        stage=f"user tower for the {purpose}",
    )
    return Models(fit_tables(run.base, known, tower.space, run.settings), tower)


def fit_ranker(
    run: Run, models: Models, ranker: Ranker, tokenizer: PrefixTokenizer
) -> dict[str, object]:
    """Train the ranker on each user's window, with candidates that fitted models find."""
    learn, some, say = run.targets.learn, run.targets.validate, run.say
    maker = run.maker(models)
    say(f"candidates for {len(learn):,} targets to learn from, {len(some):,} to validate on")
    examples = list(
        tracked(maker.examples(learn + some), len(learn) + len(some), "candidates", say)
    )
    found = np.mean([e.found_at >= 0 for e in examples[: len(learn)]])
    say(f"the sources find {found:.1%} of the targets to learn from")
    labels = event_labels(ranker, run.known)
    starts, known = run.known.starts, labels.known()
    judge = judged_targets(run.split, known, starts, run.settings.judgements, run.settings.seed)
    held = [t for t in some if known[starts[t.user] + t.place]]
    judged = list(
        tracked(
            judgements(maker, judge + held, run.split.fit_counts),
            len(judge) + len(held),
            "judgements",
            say,
        )
    )
    packer, validate = Packer(maker, tokenizer), examples[len(learn) :]
    if run.settings.lora_rank:
        add_adapters(ranker, run.settings.lora_rank)
    train_ranker(
        ranker,
        packer,
        examples[: len(learn)],
        validate,
        judged[: len(judge)],
        labels,
        run.settings,
        say,
        run.checkpoint,
    )
    if run.settings.lora_rank:
        merge_adapters(ranker)
    calibration = calibrate(ranker, packer, validate, judged[len(judge) :], labels, say)
    quality = validation_quality(ranker, packer, validate, judged[len(judge) :], labels, say)
    return {"calibration_error": calibration, **quality}


def fit_tables(
    base: ItemTable, fitted: Interactions, tower: TowerSpace, settings: TrainSettings
) -> ReleaseTables:
    """Return the tables that some interactions give."""
    return ReleaseTables(
        counted(base, fitted),
        fit_cf(fitted, settings),
        fit_neighbours(fitted, settings),
        tower,
        fit_ratings(fitted),
    )


def absolute_spec(spec: str) -> str:
    """Return a data set's spec with its path made absolute, so that it is found from anywhere."""
    kind, separator, rest = spec.rpartition(":")
    return f"{kind}{separator}{Path(rest).resolve()}"
