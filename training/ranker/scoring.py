"""Scores of examples by a ranker, and how well they order."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from models.ranker.packed_user import collate
from models.ranker.precision import mixed_precision
from models.ranker.ranker import Ranker
from training.evaluation.metrics import ndcg
from training.examples import Example
from training.ranker.packing import Packer


def scored(ranker: Ranker, packer: Packer, examples: Sequence[Example]) -> Iterator[Tensor]:
    """Yield logits [C, outcomes] of all of each example's candidates."""
    for example in examples:
        everything = np.arange(len(example.rows))
        with torch.inference_mode(), mixed_precision():
            user = packer.pack([example], [everything])
            logits: Tensor = ranker(collate(ranker.config, [user]))[0].float()
        yield logits


def place_of(candidate: int, logits: Tensor) -> int:
    """Return a candidate's place by logits [C], from 0, the last of those that score alike."""
    return int((logits >= logits[candidate]).sum()) - 1


def validation_ndcg(ranker: Ranker, packer: Packer, examples: Sequence[Example]) -> float:
    """Return the mean NDCG@10; a target that no source found counts as missed.

    Of candidates that score alike the target counts as the last: who says nothing ranks nothing.
    """
    ranker.eval()
    reachable = [example for example in examples if example.found_at >= 0]
    told = zip(reachable, scored(ranker, packer, reachable), strict=True)
    places = [place_of(example.found_at, logits[:, 0]) for example, logits in told]
    return float(ndcg(np.array(places), 10).sum() / max(len(examples), 1))
