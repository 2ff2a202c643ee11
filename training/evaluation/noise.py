"""Random interactions in what is known, to see how systems bear them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.datasets.format import ACTIONS, SPLITS, Dataset
from training.evaluation.trial import Trial, asks_at
from training.interactions import interactions_of


@dataclass(frozen=True)
class Noise:
    """Made-up interactions: users, items, times_ms int64 [N], ratings float64 [N] or NaN."""

    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times_ms: npt.NDArray[np.int64]
    ratings: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.users)

    def save(self, file: Path) -> None:
        """Write an npz."""
        np.savez(file, **vars(self))

    @classmethod
    def load(cls, file: Path) -> "Noise":
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as arrays:
            return cls(**arrays)


def draw_noise(trial: Trial, share: float, seed: int) -> Noise:
    """Draw `share` times as many interactions as are known.

    Users are drawn evenly among those with known events, items evenly from the catalogue, times
    evenly between the user's first and last known event, ratings from the known ones. An item that
    the user is asked about is left out, for it would count as seen.
    """
    random = np.random.default_rng(seed)
    training = trial.training()
    counts, times = training.counts(), training.events.times_ms
    count = round(share * len(training.events))
    users = random.choice(np.flatnonzero(counts), count)
    items = random.integers(0, training.items, count)
    first, last = times[training.starts[users]], times[training.starts[users + 1] - 1]
    moments = first + (random.random(count) * (last - first)).astype(np.int64)
    ratings = random.choice(training.events.ratings.astype(np.float64), count)
    asked = np.concatenate([trial.requests.users, trial.rated.users]) * training.items
    asked += np.concatenate([trial.requests.items, trial.rated.items])
    fine = ~np.isin(users * training.items + items, asked)
    return Noise(users[fine], items[fine], moments[fine], ratings[fine])


def with_noise(trial: Trial, noise: Noise) -> Trial:
    """Return the trial with the noise among what is known; what is asked stays."""
    before = len(trial.dataset.interactions)
    dataset = noisy_dataset(trial.dataset, noise)
    events = interactions_of(dataset)
    made_up = events.file_rows >= before

    def by_row(marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        of_row = np.zeros(len(dataset.interactions), dtype=bool)
        of_row[trial.events.file_rows[marked]] = True
        return of_row[events.file_rows] | made_up

    return replace(
        trial,
        dataset=dataset,
        events=events,
        known=by_row(trial.known),
        past=by_row(trial.past),
        requests=asks_at(dataset, events, trial.requests.rows),
        rated=asks_at(dataset, events, trial.rated.rows),
        noise=len(noise),
    )


def noisy_dataset(dataset: Dataset, noise: Noise) -> Dataset:
    """Return a data set with made-up interactions after its own."""
    frame, count = dataset.interactions, len(noise)
    unknown = np.full(count, np.nan)
    actions = np.where(np.isfinite(noise.ratings), "rate", "view")
    columns: dict[str, object] = {
        "user_id": pd.Categorical.from_codes(noise.users, frame["user_id"].cat.categories),
        "item_id": pd.Categorical.from_codes(noise.items, frame["item_id"].cat.categories),
        "timestamp": noise.times_ms,
        "action": pd.Categorical(actions, categories=pd.Index(ACTIONS)),
        "rating": noise.ratings,
        "split": pd.Categorical(["train"] * count, categories=pd.Index(SPLITS)),
        "text": [""] * count,
    }
    rows = pd.DataFrame({name: columns.get(name, unknown) for name in frame.columns})
    whole = pd.concat([frame, rows.astype(frame.dtypes.to_dict())], ignore_index=True)
    return replace(dataset, interactions=whole)
