"""The fits of a training run: early for the ranker to learn from, the ranker, and again on more."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.entities import ItemEntities
from features.fusion import SourceWeights
from features.item_table import ItemTable
from features.popularity import Counting
from features.senses import ALL_SENSES, Senses
from features.tags import ItemTags
from features.tower import TowerSpace
from features.user_view import ReleaseTables
from features.word_index import WordIndex
from models.ranker.ranker import Ranker
from models.ranker.text import PrefixTokenizer
from training.cf import fit_cf, fit_neighbours
from training.checkpoint import NOWHERE, Checkpoint
from training.entities import learn_worth, worth_line
from training.evaluation.candidate_recall import candidate_recall, recall_lines
from training.examples import ExampleMaker, Models
from training.friends import NO_FRIENDS, Friends
from training.interactions import Interactions
from training.item_table import counted
from training.judgements import judged_targets, judgements
from training.popularity import counting_line, fit_popularity, learn_popularity
from training.progress import Say, tracked
from training.ranker.adapters import add_adapters, merge_adapters
from training.ranker.calibration import calibrate
from training.ranker.labels import event_labels
from training.ranker.loop import train_ranker
from training.ranker.packing import Packer
from training.ranker.quality import validation_quality
from training.ranker.validation_logits import validation_logits
from training.ratings import fit_ratings
from training.rhythms import fit_rhythms
from training.settings import TrainSettings
from training.shown import shown_lists
from training.source_weights import learn_weights
from training.split import Split
from training.targets import Targets
from training.tastes import fit_tastes
from training.tower.loop import fit_tower, new_tower
from training.tower.validation import Validation, unseen_targets
from training.warm_start import WarmStart
from training.words import Words

Int64 = npt.NDArray[np.int64]
NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True)
class Run:
    """What one run knows before anything is fitted."""

    base: ItemTable
    word_index: WordIndex
    tags: ItemTags
    known: Interactions
    repeat: bool
    words: Words
    split: Split
    targets: Targets
    settings: TrainSettings
    say: Say
    impressions: pd.DataFrame
    senses: Senses = ALL_SENSES
    warm: WarmStart | None = None
    checkpoint: Checkpoint = NOWHERE
    entities: ItemEntities = field(default_factory=ItemEntities)
    friends: Friends = NO_FRIENDS

    def maker(self, models: Models) -> ExampleMaker:
        """Return what makes examples from fitted models."""
        return ExampleMaker(
            models, self.known, self.words, self.repeat, self.settings, self.friends
        )


def fit_early(run: Run) -> Models:
    """Fit collaborative filtering and tower on what precedes the ranker's window."""
    run.say("collaborative filtering and tower on what precedes the ranker's window")
    settings = run.settings
    early = run.known.first(run.split.fit_counts)
    base = run.base
    tower = new_tower(early, base.text_vectors.shape[1], settings, base.media.widths)
    if run.warm is not None and not run.warm.has_seen(_times(run)):
        run.warm.tower(tower)
    unseen = unseen_targets(run.targets, settings.seed)
    validation = Validation(run.known, unseen, run.repeat)
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
    entities = learn_worth(run.entities, early, settings.seed)
    tables = fit_tables(
        run, early, fitted.space, SourceWeights(), entities, without=run.targets.apart
    )
    run.say(worth_line(tables.entities))
    models = Models(tables, fitted)
    counting = learn_popularity(run.maker(models), run.targets.validate)
    models = replace(models, tables=_counting(models.tables, counting))
    run.say(counting_line(counting))
    weights = learn_weights(run.maker(models), run.targets.validate, run.targets.newcomers)
    for kind, of_kind in weights.by_name().items():
        told = ", ".join(f"{name} {weight:.2f}" for name, weight in of_kind.items())
        run.say(f"weights of the sources, {kind}: {told or 'all alike, too little to learn from'}")
    return replace(models, tables=replace(models.tables, weights=weights))


def _times(run: Run) -> Int64:
    """Return when the ranker's targets were, to learn from and to choose by, Unix milliseconds."""
    targets = [*run.targets.learn, *run.targets.newcomers, *run.targets.validate]
    places = [int(run.known.starts[target.user]) + target.place for target in targets]
    return run.known.events.times_ms[places]


def refit(run: Run, models: Models, known: Interactions, purpose: str) -> Models:
    """Fit again on more: collaborative filtering anew, the tower from where it is.

    The tower sees what is new about as often as it has seen the rest.
    """
    new_share = 1.0 - models.tower.events / max(len(known.events), 1)
    epochs = math.ceil(new_share * models.tower.epochs)
    tower = fit_tower(
        models.tower.tower,
        run.base,
        known,
        run.repeat,
        run.settings,
        run.say,
        epochs=max(run.settings.tower_refit_epochs, epochs),
        read=models.tower.read,
        checkpoint=run.checkpoint,
        stage=f"user tower for the {purpose}",
    )
    before = models.tables
    # Which relations are worth something stays: the ranker has learned with these.
    tables = fit_tables(run, known, tower.space, before.weights, before.entities)
    return Models(_counting(tables, before.popularity.counting), tower)


def fit_ranker(
    run: Run, models: Models, ranker: Ranker, tokenizer: PrefixTokenizer
) -> dict[str, object]:
    """Train the ranker on each user's window, with candidates that fitted models find.

    Returns what is measured on validation targets: recall of candidates, calibration, and more.
    """
    learn, some = [*run.targets.learn, *run.targets.newcomers], run.targets.validate
    say = run.say
    maker = run.maker(models)
    say(f"candidates for {len(learn):,} targets to learn from, {len(some):,} to validate on")
    examples = list(
        tracked(maker.examples(learn + some), len(learn) + len(some), "candidates", say)
    )
    found = sum(e.found_at >= 0 for e in examples[: len(learn)])
    say(f"the sources find {found:,} of the {len(learn):,} targets to learn from")
    recall = candidate_recall(examples[len(learn) :])
    for line in recall_lines(recall):
        say(line)
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
    shown = list(shown_lists(maker, run.impressions, run.split))
    if shown:
        say(f"{len(shown):,} items were taken from lists that were shown, with logged features")
    packer, validate = Packer(maker, tokenizer), examples[len(learn) :]
    if run.settings.lora_rank:
        add_adapters(ranker, run.settings.lora_rank)
    private = train_ranker(
        ranker,
        packer,
        examples[: len(learn)],
        validate,
        judged[: len(judge)],
        shown,
        labels,
        run.settings,
        say,
        run.checkpoint,
    )
    if run.settings.lora_rank:
        merge_adapters(ranker)
    said = validation_logits(ranker, packer, validate, judged[len(judge) :])
    calibration = calibrate(ranker, said, labels, say)
    quality = validation_quality(ranker, said, labels, say)
    return {
        "candidate_recall": recall,
        "calibration_error": calibration,
        "private": private,
        **quality,
    }


def _counting(tables: ReleaseTables, counting: Counting) -> ReleaseTables:
    return replace(tables, popularity=tables.popularity.with_counting(counting))


def fit_tables(
    run: Run,
    fitted: Interactions,
    tower: TowerSpace,
    weights: SourceWeights,
    entities: ItemEntities,
    without: npt.NDArray[np.int64] = NOBODY,
) -> ReleaseTables:
    """Return the tables that some interactions give.

    without: int64 [n], users whose taste does not count.
    """
    return ReleaseTables(
        counted(run.base, fitted),
        fit_cf(fitted, run.settings),
        fit_neighbours(fitted, run.settings),
        tower,
        fit_ratings(fitted),
        fit_rhythms(fitted, run.base.text_vectors),
        fit_popularity(fitted),
        run.word_index,
        run.tags,
        fit_tastes(run.tags, run.words, run.known, fitted, without, run.settings.seed),
        weights,
        run.senses,
        entities,
    )
