"""Private fine-tuning bounds what a user changes, hides it in noise, and counts what that costs."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from training.ranker.private import PrivateSteps
from training.settings import TrainSettings

SETTINGS = TrainSettings(private_noise=1.0, private_clip=0.5, private_users=20)


def chunk(user: int) -> Any:
    return [SimpleNamespace(target=SimpleNamespace(user=user))]


def of_users(count: int, settings: TrainSettings = SETTINGS, each: int = 3) -> PrivateSteps:
    return PrivateSteps([chunk(user) for user in range(count) for _ in range(each)], settings)


def losses(weights: torch.Tensor, slopes: list[float]) -> Iterator[torch.Tensor]:
    for slope in slopes:
        yield slope * weights.sum()


def test_a_lot_holds_each_user_at_most_once_and_as_many_as_wanted_on_average() -> None:
    steps = of_users(100)
    assert steps.steps == 5
    lots = [lot for _ in range(40) for lot in steps.lots(np.random.default_rng(1))]
    for lot in lots:
        users = [own[0].target.user for own in lot]
        assert len(users) == len(set(users))
    assert len({len(lot) for lot in lots}) > 3
    assert np.mean([len(lot) for lot in lots]) == pytest.approx(20, abs=1.5)


def test_one_user_changes_no_gradient_by_more_than_the_bound() -> None:
    steps = of_users(100, replace(SETTINGS, private_noise=1e-9))
    weights = torch.zeros(4, requires_grad=True)
    steps.gradients([weights], losses(weights, [0.1, 0.1]))
    assert weights.grad is not None
    small = weights.grad.clone()
    # 0.1 in each of four places has the norm 0.2, which is below the bound of 0.5.
    torch.testing.assert_close(small, torch.full((4,), 0.2 / 20))
    steps.gradients([weights], losses(weights, [0.1, 0.1, 1e6]))
    assert float((weights.grad - small).norm()) * 20 == pytest.approx(0.5, rel=1e-4)


def test_noise_is_as_great_as_said_and_another_each_time() -> None:
    weights = torch.zeros(20_000, requires_grad=True)
    found = []
    for _ in range(2):
        of_users(100).gradients([weights], losses(weights, []))
        assert weights.grad is not None
        found.append(weights.grad.clone())
        assert float(found[-1].std()) == pytest.approx(1.0 * 0.5 / 20, rel=0.05)
    assert not torch.allclose(found[0], found[1])


def test_parameters_that_a_loss_does_not_reach_get_noise_all_the_same() -> None:
    one, other = torch.zeros(50, requires_grad=True), torch.zeros(50, requires_grad=True)
    of_users(100).gradients([one, other], losses(one, [1.0]))
    assert other.grad is not None
    assert float(other.grad.abs().sum()) > 0


def test_epsilon_is_that_of_the_literature() -> None:
    # 60 epochs over 60,000 in lots of 256 with noise 1.1: 2.6 by Opacus, 3.0 by older bounds.
    settings = TrainSettings(private_noise=1.1, private_users=256)
    spent = of_users(60_000, settings, each=1).spent(60 * 234)
    assert spent["delta"] == pytest.approx(60_000**-1.1)
    assert 2.3 < spent["epsilon"] < 3.1
    more_noise = of_users(60_000, replace(settings, private_noise=2.0), each=1).spent(60 * 234)
    assert more_noise["epsilon"] < spent["epsilon"] / 1.5
    assert of_users(100).spent(0)["epsilon"] == 0.0
