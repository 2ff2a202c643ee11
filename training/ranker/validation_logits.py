"""What a trained ranker says of validation targets and judgements, scored once for all measures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.ranker.ranker import Ranker
from training.examples import Example
from training.ranker.packing import Packer
from training.ranker.scoring import scored

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ValidationLogits:
    """Logits of what was found of so many validation targets, and of judgements.

    found: examples whose target is among the candidates. lists: of each, float32 [C, outcomes].
    judged: judgements that were not learned from. judgements: float32 [judged, outcomes].
    """

    targets: int
    found: Sequence[Example]
    lists: list[Float32]
    judged: Sequence[Example]
    judgements: Float32

    def rescale(self, outcome: int, slope: float, offset: float) -> None:
        """Follow the ranker's head, whose logit of an outcome was rescaled, in place."""
        for logits in (*self.lists, self.judgements):
            logits[:, outcome] = slope * logits[:, outcome] + offset


def validation_logits(
    ranker: Ranker, packer: Packer, validate: Sequence[Example], judged: Sequence[Example]
) -> ValidationLogits:
    """Score validation targets' candidates, where the target is among them, and judgements."""
    found = [example for example in validate if example.found_at >= 0]
    lists = [logits.numpy() for logits in scored(ranker, packer, found)]
    judgements = np.zeros((len(judged), len(ranker.config.outcomes)), np.float32)
    for row, logits in zip(judgements, scored(ranker, packer, judged), strict=True):
        row[:] = logits[0].numpy()
    return ValidationLogits(len(validate), found, lists, judged, judgements)
