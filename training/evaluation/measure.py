"""From what systems answered to their metrics, over all folds and seeds of a run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation import lists
from training.evaluation.answers import UNION, WITHOUT
from training.evaluation.intervals import Difference, Metric, UserBootstrap
from training.evaluation.labels import label_metrics
from training.evaluation.metrics import of_places, places_in
from training.evaluation.slices import slices_of
from training.evaluation.trial import Trial
from training.evaluation.trial_file import Result

Values = dict[str, npt.NDArray[np.float64]]
SLICE_METRICS = ("ndcg@10", "hr@10", "mrr", "recall@200")
COMPARED = ("ndcg@10", "hr@10", "mrr")
RECALLS = ("recall@50", "recall@200")
# Whose scores of labelled rows are probabilities; those of others are only put in order.
PROBABILITIES = ("tandem", "label_gbdt")


class Measure:
    """Measures systems on the folds of one run.

    Requests of all folds are pooled. Of several seeds the mean of each request is taken first, so
    that an interval tells of users, not of seeds.
    """

    def __init__(
        self, folds: Sequence[Trial], vectors: npt.NDArray[np.float32] | None = None
    ) -> None:
        """vectors: float32 [items, D], the items' text vectors, if there are any."""
        self.folds = folds
        self.vectors = vectors
        self.bootstrap = UserBootstrap(np.concatenate([t.requests.users for t in folds]))
        parts = [slices_of(trial) for trial in folds]
        names = dict.fromkeys(name for part in parts for name in part)
        self.slices = {
            name: np.concatenate(
                [
                    part.get(name, np.zeros(len(trial.requests), dtype=bool))
                    for part, trial in zip(parts, folds, strict=True)
                ]
            )
            for name in names
        }
        self._popularity = [trial.popularity() for trial in folds]

    def values(self, seeds: Sequence[Sequence[Result]]) -> Values:
        """Return a system's metrics of each request, float64 [R], NaN where it was not asked.

        seeds: results by seed and fold.
        """
        by_seed = [self._seed_values(results) for results in seeds]
        return {name: np.mean([v[name] for v in by_seed], axis=0) for name in by_seed[0]}

    def report(
        self, name: str, seeds: Sequence[Sequence[Result]], values: Values
    ) -> dict[str, Any]:
        """Return a system's `metrics` and `slices` for the report."""
        asked = np.isfinite(values["mrr"])
        metrics: dict[str, Metric] = {}
        if asked.any():
            metrics |= self._means(values, asked, values)
            metrics |= self._of_lists(seeds)
        metrics |= self._of_labels(name, seeds)
        slices = {
            part: {
                "requests": int((mask & asked).sum()),
                **self._means(values, mask & asked, SLICE_METRICS),
            }
            for part, mask in self.slices.items()
            if (mask & asked).any()
        }
        return {"requests": int(asked.sum()), "metrics": metrics, "slices": slices}

    def difference(self, ours: Values, theirs: Values, metric: str) -> Difference:
        """Compare two systems request by request, on those that both were asked."""
        asked = np.isfinite(ours[metric]) & np.isfinite(theirs[metric])
        if asked.all():
            return self.bootstrap.difference(ours[metric], theirs[metric])
        users = np.concatenate([trial.requests.users for trial in self.folds])[asked]
        return UserBootstrap(users).difference(ours[metric][asked], theirs[metric][asked])

    def _seed_values(self, results: Sequence[Result]) -> Values:
        folds = []
        for trial, popularity, result in zip(self.folds, self._popularity, results, strict=True):
            values = of_places(places_in(result.ranked, trial.requests.items))
            values["novelty@10"] = lists.novelty(result.ranked, popularity)
            if self.vectors is not None:
                values["diversity@10"] = lists.diversity(result.ranked, self.vectors)
            for value in values.values():
                value[~result.asked] = np.nan
            folds.append(values)
        return {name: np.concatenate([values[name] for values in folds]) for name in folds[0]}

    def _means(
        self, values: Values, mask: npt.NDArray[np.bool_], names: Sequence[str] | Values
    ) -> dict[str, Metric]:
        users = np.concatenate([trial.requests.users for trial in self.folds])[mask]
        columns = np.stack([values[name][mask] for name in names], axis=1)
        return dict(zip(names, UserBootstrap(users).means(columns), strict=True))

    def _of_lists(self, seeds: Sequence[Sequence[Result]]) -> dict[str, Metric]:
        """Return what no single request has; there is no interval, as it is no mean."""
        items = self.folds[0].events.items

        def metric(of: Callable[[npt.NDArray[np.int32], int], float]) -> Metric:
            pooled = [
                _stacked([result.ranked[result.asked] for result in results]) for results in seeds
            ]
            return {"mean": float(np.mean([of(ranked, items) for ranked in pooled])), "ci95": None}

        seen = [
            lists.seen_share(
                result.ranked, bounds, trial.events.events.rows[places].astype(np.int64), items
            )
            for results in seeds
            for trial, result in zip(self.folds, results, strict=True)
            for bounds, places in [trial.histories(trial.requests)]
        ]
        return {
            "coverage@10": metric(lists.coverage),
            "exposure_gini@10": metric(lists.exposure_gini),
            "seen@10": {"mean": float(np.mean(seen)), "ci95": None},
        }

    def _of_labels(self, name: str, seeds: Sequence[Sequence[Result]]) -> dict[str, Metric]:
        labels = np.concatenate([trial.labels for trial in self.folds])
        users = np.concatenate([trial.rated.users for trial in self.folds])
        scores = np.mean(
            [np.concatenate([result.label_scores for result in results]) for results in seeds],
            axis=0,
        ).astype(np.float64)
        known = np.isfinite(scores)
        if not known.any() or len(np.unique(labels)) < 2:
            return {}
        # A row that cannot be scored is neither above nor below the others.
        scores = np.where(known, scores, scores[known].mean())
        metrics = label_metrics(scores, labels, users, probabilities=name in PROBABILITIES)
        return {**metrics, "scored_rows": {"mean": float(known.mean()), "ci95": None}}


def significance(
    measure: Measure, values: Mapping[str, Values], baselines: Sequence[str], ours: str = "tandem"
) -> dict[str, Any]:
    """Compare the whole of Tandem with every baseline, and name the best one, by metric."""
    baselines = [name for name in baselines if np.isfinite(values[name]["mrr"]).all()]
    if ours not in values or not baselines or not np.isfinite(values[ours]["mrr"]).any():
        return {}
    report: dict[str, Any] = {}
    for metric in COMPARED:
        means = {name: float(values[name][metric].mean()) for name in baselines}
        best = max(means, key=lambda name: means[name])
        own = float(values[ours][metric].mean())
        report[metric] = {
            "best_baseline": best,
            "ratio": own / means[best] if means[best] else None,
            **measure.difference(values[ours], values[best], metric),
            "against": {
                name: measure.difference(values[ours], values[name], metric) for name in baselines
            },
        }
    return report


def ablation(
    measure: Measure, values: Mapping[str, Values], ours: str = "tandem"
) -> dict[str, Any]:
    """Return by ranker of some parts only what the whole is above it, by metric."""
    if ours not in values:
        return {}
    return {
        name: {
            metric: measure.difference(values[ours], values[name], metric) for metric in COMPARED
        }
        for name in values
        if name.startswith(f"{ours}:")
    }


def added(measure: Measure, values: Mapping[str, Values]) -> dict[str, Any]:
    """Return by source what the union of candidates is above the union without it, by metric."""
    if UNION not in values:
        return {}
    return {
        name.removeprefix(WITHOUT): {
            metric: measure.difference(values[UNION], without, metric) for metric in RECALLS
        }
        for name, without in values.items()
        if name.startswith(WITHOUT)
    }


def _stacked(ranked: Sequence[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    """Put lists of several folds below each other; what is missing is -1."""
    width = max(part.shape[1] for part in ranked)
    filled = [
        np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=-1) for part in ranked
    ]
    return np.concatenate(filled)
