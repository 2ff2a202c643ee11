"""The language model is asked where it has a say, and nowhere else."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from models.ranker.flat_batch import FlatBatch
from models.ranker.packed_user import PackedUser, collate
from models.ranker.ranker import Ranker
from ranking_service.engine import TorchEngine
from ranking_service.loaded_release import LoadedRelease
from ranking_service.scorer import score
from tests.support.rankers import bert_config, random_ranker, random_user

KNOWN, NEW = random_user(4, events=6, seed=1), random_user(3, events=0, seed=2)


class Counted(TorchEngine):
    """Torch, and how often it was asked."""

    asked = 0

    def states(self, batch: FlatBatch, features_CF: Tensor) -> Tensor:  # noqa: N803
        self.asked += 1
        return super().states(batch, features_CF)


@pytest.fixture
def ranker() -> Ranker:
    return random_ranker(bert_config())


def asked_and_scored(ranker: Ranker, users: list[PackedUser]) -> int:
    """Score users as they are served and as in training, and return how often the engine ran."""
    engine = Counted(ranker, threads=1)
    loaded = cast(LoadedRelease, SimpleNamespace(ranker=ranker, engine=engine))
    for user, scores in zip(users, score(loaded, users, [1.0] * len(users)), strict=True):
        with torch.inference_mode():
            logits, language, _ = ranker.explain(collate(ranker.config, [user]))
        np.testing.assert_allclose(scores.logits, logits[0, :, 0], atol=0.05)
        np.testing.assert_allclose(scores.language, language[0], atol=0.05)
    return engine.asked


def test_it_is_asked_once_for_several_users(ranker: Ranker) -> None:
    assert asked_and_scored(ranker, [KNOWN, NEW]) == 1


@pytest.mark.parametrize(
    ("users", "times"), [([KNOWN], 1), ([NEW], 0), ([NEW, KNOWN], 1), ([NEW] * 2, 0)]
)
def test_for_newcomers_it_is_asked_if_it_may_tell_of_them(
    ranker: Ranker, users: list[Any], times: int
) -> None:
    head = cast(Any, ranker.head)
    assert asked_and_scored(ranker, users) == 1
    head.reads_newcomers.fill_(False)
    assert asked_and_scored(ranker, users) == times


def test_it_is_not_asked_where_training_found_that_it_adds_nothing(ranker: Ranker) -> None:
    torch.nn.init.zeros_(ranker.head.language.weight)
    assert asked_and_scored(ranker, [KNOWN, NEW]) == 0
