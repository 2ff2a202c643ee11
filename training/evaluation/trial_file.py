"""The files between a trial and the systems that run in an environment of their own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.protocols import is_liked
from training.evaluation.trial import Trial

DEPTH = 500
# In the first place of a list that was never asked for, as opposed to one that is empty.
UNASKED = -2
RESULT = "result.npz"
ABOUT = "result.json"


@dataclass(frozen=True)
class Result:
    """What a system answered.

    ranked: int32 [R, up to DEPTH], item rows, best first, -1 where fewer, UNASKED where the system
    was not asked. label_scores: float32 [L], NaN where it cannot say. about: seconds,
    peak_rss_mib, settings and what else it tells.
    """

    ranked: npt.NDArray[np.int32]
    label_scores: npt.NDArray[np.float32]
    about: dict[str, Any]

    @property
    def asked(self) -> npt.NDArray[np.bool_]:
        """Return which requests were asked, bool [R]; none where a system ranks nothing at all."""
        return (self.ranked != UNASKED).all(axis=1) & (self.ranked >= 0).any()


def write_trial(trial: Trial, file: Path) -> None:
    """Write the trial as baselines read it: whole or not at all.

    Labels are 1 and 0. The targets are there for whoever reads the file later; a system must not
    read them.
    """
    frame = trial.dataset.interactions
    labels = is_liked(frame["label"].to_numpy(np.float64)).astype(np.float32)
    times = frame["timestamp"].to_numpy(np.int64)
    users = trial.events.user_rows()
    known = np.flatnonzero(trial.known & trial.positive)
    # Impressions and dislikes too: they are no positive events, but they may be labelled.
    labelled = np.isfinite(labels) & (frame["split"] != "test").to_numpy()
    rows = np.flatnonzero(labelled & (trial.protocol.name == "given"))
    bounds, places = trial.histories(trial.requests)
    events = trial.events.events
    half = file.with_name(f".{file.name}")
    with half.open("wb") as target:
        np.savez(
            target,
            users=np.int64(trial.events.users),
            items=np.int64(trial.events.items),
            repeat=np.bool_(trial.repeat),
            known_user=users[known].astype(np.int32),
            known_item=events.rows[known].astype(np.int32),
            known_time_ms=events.times_ms[known],
            known_label=labels[trial.events.file_rows[known]],
            labelled_known_user=trial.dataset.user_rows[rows],
            labelled_known_item=trial.dataset.item_rows[rows],
            labelled_known_time_ms=times[rows],
            labelled_known_label=labels[rows],
            request_user=trial.requests.users.astype(np.int32),
            request_time_ms=trial.requests.times_ms,
            request_target=trial.requests.items.astype(np.int32),
            history_start=bounds,
            history_item=events.rows[places].astype(np.int32),
            history_time_ms=events.times_ms[places],
            score_user=trial.rated.users.astype(np.int32),
            score_item=trial.rated.items.astype(np.int32),
            score_time_ms=trial.rated.times_ms,
        )
    half.replace(file)


def write_result(
    directory: Path,
    ranked: npt.NDArray[np.int32],
    label_scores: npt.NDArray[np.float32],
    about: Mapping[str, Any],
) -> None:
    """Write a result in the form of the baselines, the description last: with it, it is whole."""
    directory.mkdir(parents=True, exist_ok=True)
    np.savez(directory / RESULT, ranked=ranked, label_scores=label_scores)
    write_about(directory, about)


def write_about(directory: Path, about: Mapping[str, Any]) -> None:
    """Replace a result's description as a whole."""
    half = directory / f".{ABOUT}"
    half.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    half.replace(directory / ABOUT)


def read_result(directory: Path, trial: Trial) -> Result | None:
    """Return a result that was kept, None if there is none. Raises ValueError if it is unfit."""
    if not (directory / ABOUT).is_file():
        return None
    about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
    with np.load(directory / RESULT, allow_pickle=False) as arrays:
        ranked, scores = arrays["ranked"], arrays["label_scores"]
    if len(ranked) != len(trial.requests):
        raise ValueError(f"{len(ranked)} lists for {len(trial.requests)} requests")
    if ranked.size and not UNASKED <= ranked.min() <= ranked.max() < trial.events.items:
        raise ValueError("a list names items that do not exist")
    if len(scores) not in (0, len(trial.rated)):
        raise ValueError(f"{len(scores)} scores for {len(trial.rated)} labelled rows")
    if not len(scores):
        scores = np.full(len(trial.rated), np.nan, np.float32)
    return Result(ranked[:, :DEPTH].astype(np.int32), scores.astype(np.float32), about)
