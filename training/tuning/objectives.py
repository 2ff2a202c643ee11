"""What a trial of each part reaches: NDCG@10 of the validation targets, 0 to 1."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from features.events import EventArrays
from features.history import recency, weights_of_actions
from training.cf import fit_cf, fit_neighbours
from training.estimate import estimate
from training.evaluation.metrics import ndcg
from training.examples import Models
from training.fitting import Run, fit_early, fit_ranker
from training.progress import Say, Tracker
from training.ranker.start import build_ranker
from training.settings import TrainSettings
from training.tower.loop import fit_tower, new_tower
from training.tower.validation import Validation, unseen_targets
from training.tuning.data import TuningData

Float32 = npt.NDArray[np.float32]
# Takes each validation value as it is reached; may raise to end the trial.
Watch = Callable[[float], None]
Tick = Callable[[], None]


class Objectives:
    """Fits one part with some settings and says how good it is."""

    def __init__(self, data: TuningData, say: Say) -> None:
        self.data = data
        self.say = say
        self._early: tuple[TrainSettings, Run, Models] | None = None

    def takes(self, part: str, settings: TrainSettings) -> float:
        """Return about how many seconds a trial takes, 0 for what is cheap beside the networks."""
        if part not in ("tower", "ranker"):
            return 0.0
        counts = self.data.task(settings).counts(self.data.encoder_directory)
        stages = estimate(counts, settings).usual_s
        if part == "tower":
            return stages["user tower"]
        return stages["user tower"] + stages["candidates"] + stages["ranker"]

    def value(self, part: str, settings: TrainSettings, watch: Watch, tick: Tick) -> float:
        """Return the best value of a trial. tick: called at every step; may raise to end it."""
        kinds: Mapping[str, Callable[[TrainSettings, Tracker], float | None]] = {
            "cf": self._cf,
            "neighbours": self._neighbours,
            "tower": self._tower,
            "ranker": self._ranker,
        }
        reached: list[float] = []

        def write(name: str, value: float, _: int) -> None:
            if name == f"{part}/validation_ndcg@10":
                reached.append(value)
                watch(value)
            tick()

        def say(message: str) -> None:
            tick()
            # Of the quick parts one line for each trial is enough.
            if part == "ranker":
                self.say(f"  {message}")

        value = kinds[part](settings, Tracker(say, write))
        return max(reached) if value is None else value

    def _cf(self, settings: TrainSettings, told: Tracker) -> float:
        run = self.data.run(settings, told)
        model = fit_cf(run.known.first(run.split.fit_counts), settings)

        def scores(events: EventArrays) -> Float32:
            factor = model.fold_in(events.rows, weights_of_actions(events.actions))
            return np.asarray(model.item_factors @ factor, np.float32)

        return full_ranking_ndcg(run, scores)

    def _neighbours(self, settings: TrainSettings, told: Tracker) -> float:
        run = self.data.run(settings, told)
        model = fit_neighbours(run.known.first(run.split.fit_counts), settings)

        def scores(events: EventArrays) -> Float32:
            weights = weights_of_actions(events.actions) * recency(len(events))
            return model.scores_of_all(events.rows, weights)

        return full_ranking_ndcg(run, scores)

    def _tower(self, settings: TrainSettings, told: Tracker) -> None:
        run = self.data.run(settings, told)
        early = run.known.first(run.split.fit_counts)
        torch.manual_seed(settings.seed)
        fit_tower(
            new_tower(early, run.base.text_vectors.shape[1], settings, run.base.media.widths),
            run.base,
            early,
            run.repeat,
            settings,
            told,
            validate=Validation(
                run.known, unseen_targets(run.targets, run.settings.seed), run.repeat
            ),
            epochs=settings.tower_epochs,
        )

    def _ranker(self, settings: TrainSettings, told: Tracker) -> None:
        run, models = self._fitted_early(settings, told)
        torch.manual_seed(settings.seed)
        dataset, directory = self.data.material.dataset, self.data.encoder_directory
        ranker, tokenizer = build_ranker(dataset, run.known, directory, settings)
        fit_ranker(run, models, ranker, tokenizer)

    def _fitted_early(self, settings: TrainSettings, told: Tracker) -> tuple[Run, Models]:
        """Return what a ranker learns from: the last trial's, if nothing in it differs."""
        like = early_settings(settings)
        if self._early is None or self._early[0] != like:
            self._early = None  # its memory goes before new models come
            torch.manual_seed(settings.seed)
            run = self.data.run(settings, told)
            self._early = (like, run, fit_early(run))
        _, run, models = self._early
        return replace(run, settings=settings, say=told), models


def early_settings(settings: TrainSettings) -> TrainSettings:
    """Return the settings with the ranker's own, which change nothing that is fitted before it."""
    own = TrainSettings()
    return replace(
        settings,
        lm_learning_rate=own.lm_learning_rate,
        learning_rate=own.learning_rate,
        negatives=own.negatives,
    )


def full_ranking_ndcg(run: Run, scores_of: Callable[[EventArrays], Float32]) -> float:
    """Return the mean NDCG@10 of the validation targets among all items, seen ones left out.

    scores_of: takes the events before a target and gives float32 [items].
    """
    places = []
    for target in run.targets.validate:
        events = run.known.of(target.user)
        scores = scores_of(events[: target.place])
        row = events.rows[target.place]
        if not run.repeat:
            scores[events.rows[: target.place]] = -np.inf
        # Items with the same score share the place of the last of them: no knowledge, no merit.
        places.append(int((scores >= scores[row]).sum()) - 1)
    return float(ndcg(np.array(places), 10).mean()) if places else 0.0
