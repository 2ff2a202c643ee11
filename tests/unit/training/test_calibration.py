import numpy as np
import torch

from models.ranker.fusion_head import FusionHead
from training.ranker.calibration import calibration_error, platt


def test_scaling_finds_the_slope_and_offset_that_were_planted() -> None:
    random = np.random.default_rng(0)
    truth_logits = random.normal(size=20_000).astype(np.float32)
    truth = (random.random(20_000) < 1 / (1 + np.exp(-truth_logits))).astype(np.float32)
    slope, offset = platt(2.0 * truth_logits + 3.0, truth)
    assert abs(slope - 0.5) < 0.05
    assert abs(offset + 1.5) < 0.1


def test_honest_probabilities_have_little_error_and_bold_ones_much() -> None:
    random = np.random.default_rng(1)
    chances = random.random(20_000).astype(np.float32)
    truth = (random.random(20_000) < chances).astype(np.float32)
    assert calibration_error(chances, truth) < 0.02
    assert calibration_error(np.round(chances), truth) > 0.2


def test_a_rescaled_head_scales_one_outcome_and_its_parts_with_it() -> None:
    torch.manual_seed(0)
    head = FusionHead(width=4, features=3, outcomes=2)
    for own in (head.usual, head.newcomers):
        torch.nn.init.normal_(own.outer_FHA)
        torch.nn.init.normal_(own.linear_FA)
    new = torch.tensor([[True], [False]])
    state, features = torch.randn(2, 5, 4), torch.randn(2, 5, 3)
    before, parts = (
        head(state, features, new, new[..., None]),
        head.of_features(features, new[..., None]),
    )
    head.rescale(1, 0.5, 2.0)
    after = head(state, features, new, new[..., None])
    torch.testing.assert_close(after[..., 0], before[..., 0])
    torch.testing.assert_close(after[..., 1], 0.5 * before[..., 1] + 2.0)
    scaled = head.of_features(features, new[..., None])
    torch.testing.assert_close(scaled[..., 1], 0.5 * parts[..., 1])
