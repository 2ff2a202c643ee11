"""Users' vectors by the tower, as the served model computes them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from features.events import EventArrays
from features.moment import Moment
from features.tower import TowerInput, tower_input
from models.tower.serving import ServedTower

Float32 = npt.NDArray[np.float32]
AT_ONCE = 128


def inputs_of(served: ServedTower, history: EventArrays, moment: Moment) -> TowerInput:
    """Return what a tower reads of a user's events (one or more) at a moment."""
    config = served.tower.config
    return tower_input(
        history,
        moment,
        rating_mean=config.rating_mean,
        rating_scale=config.rating_scale,
        max_history=config.max_history,
    )


def user_vectors(served: ServedTower, inputs: Sequence[TowerInput]) -> Float32:
    """Return user vectors, float32 [inputs, W]."""
    vectors = np.zeros((len(inputs), served.tower.config.width), np.float32)
    order = np.argsort([len(one.rows) for one in inputs], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), AT_ONCE):
            some = order[start : start + AT_ONCE]
            vectors[some] = served(*padded([inputs[place] for place in some], served)).numpy()
    return vectors


def padded(inputs: Sequence[TowerInput], served: ServedTower) -> tuple[Tensor, ...]:
    """Return the arguments of `ServedTower.forward` for users of whose items it knows all."""
    length = max(len(one.rows) for one in inputs)
    nothing = torch.zeros(len(inputs), 1, served.tower.config.content_width)
    return (
        _stack([one.rows for one in inputs], length),
        nothing,
        _stack([one.actions for one in inputs], length),
        _stack([one.features for one in inputs], length),
        _stack([one.times_ms for one in inputs], length),
        _stack([one.next_ms for one in inputs], length),
        torch.from_numpy(np.stack([one.context for one in inputs])),
        torch.tensor([len(one.rows) for one in inputs]),
    )


def _stack(arrays: Sequence[npt.NDArray[np.generic]], length: int) -> Tensor:
    stacked = np.zeros((len(arrays), length, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in enumerate(arrays):
        stacked[row, : len(array)] = array
    return torch.from_numpy(stacked)
