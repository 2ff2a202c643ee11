import numpy as np
import pytest
import torch

from training.evaluation.leave_one_out import place_of
from training.evaluation.metrics import MISSED, hit, ndcg, reciprocal_rank, summarised
from training.ranker.loss import outcome_loss, ranking_loss


def test_a_target_in_first_place_scores_one_everywhere() -> None:
    first = np.array([0])
    assert hit(first, 10) == ndcg(first, 10) == reciprocal_rank(first) == 1.0


def test_a_missed_target_scores_nothing() -> None:
    missed = np.array([MISSED])
    assert hit(missed, 10) == ndcg(missed, 10) == reciprocal_rank(missed) == 0.0


def test_ndcg_follows_its_definition() -> None:
    assert ndcg(np.array([2, 9, 10]), 10).tolist() == pytest.approx(
        [1 / np.log2(4), 1 / np.log2(11), 0]
    )


def test_ties_are_not_counted_in_our_favour() -> None:
    scores = np.array([1.0, 1.0, 1.0, 0.0], np.float32)
    assert place_of(scores, 2) == 2


def test_the_interval_holds_the_mean() -> None:
    metric = summarised(np.array([0.0, 1.0] * 50))
    assert metric["ci95"][0] < metric["mean"] == 0.5 < metric["ci95"][1]


def test_the_loss_falls_as_the_target_rises() -> None:
    def loss(target: float) -> float:
        logits = torch.zeros(3, 5, 2)
        logits[:, 0, 0] = target
        unknown = torch.full((3, 1), torch.nan)
        return float(ranking_loss(logits, unknown, torch.zeros(3, 5)))

    assert loss(2.0) < loss(1.0) < loss(0.0)


def test_unknown_outcomes_have_no_gradient() -> None:
    logits = torch.zeros(2, 4, 2, requires_grad=True)
    labels = torch.tensor([[torch.nan], [1.0]])
    ranking_loss(logits, labels, torch.zeros(2, 4)).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0, 1] == 0
    assert logits.grad[1, 0, 1] < 0


def test_a_rating_is_learned_by_its_squared_error_and_the_rest_by_cross_entropy() -> None:
    logits = torch.tensor([[0.0, 1.5], [2.0, -1.0]], requires_grad=True)
    labels = torch.tensor([[1.0, 1.0], [torch.nan, -1.0]])
    loss = outcome_loss(logits, labels, rating=True)
    expected = (np.log(2.0) + 0.25) / 3
    assert float(loss.detach()) == pytest.approx(expected)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[1].tolist() == [0.0, 0.0]
