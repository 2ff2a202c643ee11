"""What the user tower is trained to do well: name the next item among the catalogue's."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Classes:
    """The items that a step tells apart.

    rows_C: int64, items without repeats; the step's targets come first. correction_C: float32, to
    be added to logits, so that the sampled items stand for those that were not.
    """

    rows_C: Tensor
    correction_C: Tensor


def all_or_sampled(
    targets_P: Tensor, items_U: Tensor, negatives: int, random: np.random.Generator
) -> Classes:
    """Return all of some items, or where they are many more the targets and a uniform sample.

    items_U: int64, the targets' among them. What nobody has used should not be among them: it
    would be learned that nobody wants it, though all that is known is that it is new.

    A sampled item is drawn with probability `negatives` / (items - targets); its logit is raised by
    the negative logarithm of that (log-Q correction: Bengio and Senecal, IEEE Transactions on
    Neural Networks, 2008), which makes the softmax an estimate of that over the catalogue.
    """
    items = len(items_U)
    if items <= 2 * negatives:
        return Classes(items_U, torch.zeros(items))
    wanted = torch.unique(targets_P)
    drawn = items_U[torch.from_numpy(random.choice(items, size=negatives, replace=False))]
    others = drawn[~torch.isin(drawn, wanted)]
    raised = np.log((items - len(wanted)) / len(others))
    correction = torch.cat([torch.zeros(len(wanted)), torch.full((len(others),), float(raised))])
    return Classes(torch.cat([wanted, others]), correction)


def next_item_loss(
    users_PW: Tensor, targets_P: Tensor, classes: Classes, vectors_CW: Tensor
) -> Tensor:
    """Return the mean cross-entropy of P positions over the classes, whose vectors are given."""
    order = torch.argsort(classes.rows_C)
    labels_P = order[torch.searchsorted(classes.rows_C[order], targets_P)]
    logits_PC = (users_PW @ vectors_CW.T).float() + classes.correction_C
    return F.cross_entropy(logits_PC, labels_P)
