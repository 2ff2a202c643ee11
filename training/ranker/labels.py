"""What is known of how events ended, for the ranker's outcomes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.ranker.ranker import Ranker
from training.examples import Example
from training.interactions import Interactions
from training.ranker.outcomes import outcome_labels


@dataclass(frozen=True)
class Labels:
    """Labels by user, place and outcome: float32 [events of the user, outcomes]."""

    of_events: torch.Tensor
    starts: np.ndarray[tuple[int], np.dtype[np.int64]]

    def known(self) -> npt.NDArray[np.bool_]:
        """Return of which events any outcome is known, bool [events]."""
        return np.asarray(torch.isfinite(self.of_events).any(dim=1).numpy())

    def of(self, example: Example) -> Tensor:
        """Return the labels of an example's target, float32 [outcomes]."""
        return self.of_events[int(self.starts[example.target.user]) + example.target.place]


def event_labels(ranker: Ranker, interactions: Interactions) -> Labels:
    """Return the labels of all events for the ranker's outcomes after the first."""
    events = interactions.events
    top = float(np.nan_to_num(events.ratings).max(initial=0.0))
    labels = outcome_labels(events, top)
    columns = [labels[name] for name in ranker.config.outcomes[1:]]
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(events), 0), np.float32)
    return Labels(torch.from_numpy(stacked), interactions.starts)
