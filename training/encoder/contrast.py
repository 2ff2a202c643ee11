"""The loss of two towers: what a user did must be nearer to what they took than to the rest."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.encoder.behaviour import Moments

# Moments whose nearest texts are looked for at a time: each needs a number for every text.
AT_ONCE = 64
NEVER = -1e9


def users_of(moments: Moments, vectors_TD: Tensor) -> Tensor:
    """Return the unit vectors [P, D] of users: the mean of what they did, as it is served."""
    means_PD = F.embedding_bag(
        torch.from_numpy(moments.texts_E),
        vectors_TD,
        torch.from_numpy(moments.starts_P),
        mode="sum",
        per_sample_weights=torch.from_numpy(moments.weights_E),
    )
    return F.normalize(means_PD, dim=-1)


def contrast(
    moments: Moments, vectors_TD: Tensor, chances_T: Tensor, hard: int, temperature: float
) -> Tensor:
    """Return the mean cross-entropy of what was taken among it and its negatives.

    Negatives are what other moments of the step took, and of all texts the `hard` nearest to the
    user as the vectors are; what the user took at another time is neither. Others' targets are
    popular; the logarithm of their chance to be there, chances_T, is taken off their logits, so
    that they stand for all texts (log-Q correction: Yi et al., "Sampling-Bias-Corrected Neural
    Modeling for Large Corpus Item Recommendations", RecSys 2019).
    """
    users_PD = users_of(moments, vectors_TD)
    targets_P = torch.from_numpy(moments.targets_P)
    own_P = (users_PD * vectors_TD[targets_P]).sum(-1) / temperature
    texts_C = torch.unique(targets_P)
    others_PC = users_PD @ vectors_TD[texts_C].T / temperature - chances_T[texts_C].log()
    taken_PC = torch.from_numpy(moments.taken_PT[:, texts_C.numpy()].toarray())
    logits = [own_P[:, None], others_PC.masked_fill(taken_PC, NEVER)]
    if hard:
        near_PH = nearest_untaken(moments, users_PD.detach(), vectors_TD.detach(), hard)
        near_PHD = vectors_TD[near_PH.clamp(min=0)]
        hard_PH = torch.einsum("pd,phd->ph", users_PD, near_PHD) / temperature
        logits.append(hard_PH.masked_fill(near_PH < 0, NEVER))
    return F.cross_entropy(torch.cat(logits, dim=1), torch.zeros(len(targets_P), dtype=torch.long))


def nearest_untaken(moments: Moments, users_PD: Tensor, vectors_TD: Tensor, count: int) -> Tensor:
    """Return the nearest texts that each user did not take, int64 [P, count], -1 for none."""
    found = []
    for start in range(0, len(users_PD), AT_ONCE):
        taken = moments.taken_PT[start : start + AT_ONCE].toarray()
        scores = users_PD[start : start + AT_ONCE] @ vectors_TD.T
        scores = scores.masked_fill(torch.from_numpy(np.asarray(taken)), -np.inf)
        values, texts = scores.topk(min(count, scores.shape[1]), dim=1)
        found.append(texts.masked_fill(values == -np.inf, -1))
    return torch.cat(found)
