"""What stands first is taken more; learning must not take that for what people like."""

from dataclasses import replace

import numpy as np
import torch

from models.ranker.ranker import Ranker
from tests.support.rankers import FEATURES, bert_config, random_ranker
from training.ranker.head import fit_head
from training.ranker.labels import Labels
from training.ranker.position_bias import POSITIONS, PositionBias
from training.settings import TrainSettings
from training.shown import Shown
from training.sources import Found
from training.targets import Target
from training.words import NO_WORDS

LISTS, LENGTH = 1_500, 8
# Of the first feature on taking, and of the position: the first of eight is looked at 5 times as
# often as the last.
TASTE = 1.0
LOOKED = -np.log(5) * np.linspace(0, 1, LENGTH)
SETTINGS = TrainSettings(seed=1, head_epochs=15)
NO_LABELS = Labels(torch.zeros(0, 0), np.zeros(0, np.int64))


def ranker() -> Ranker:
    whole = random_ranker(bert_config())
    torch.manual_seed(0)
    return Ranker(replace(whole.config, language=False, outcomes=["engage"]), whole.language_model)


def lists(seed: int = 0) -> list[Shown]:
    """Return lists in most of which the second feature, liked by nobody, put items at the top."""
    random = np.random.default_rng(seed)
    made = []
    for user in range(LISTS):
        features = random.normal(size=(LENGTH, FEATURES)).astype(np.float32)
        if user % 3:
            features[:, 1] = np.sort(features[:, 1])[::-1]
        logits = TASTE * features[:, 0] + LOOKED
        taken = int((logits + random.gumbel(size=LENGTH)).argmax())
        nothing = np.zeros((LENGTH, 1), np.float32)
        made.append(
            Shown(
                Target(user, 3, NO_WORDS),
                Found(np.arange(LENGTH, dtype=np.int32), nothing, nothing.astype(np.int32)),
                np.zeros(1, np.float32),
                features.astype(np.float16),
                np.zeros(3, np.float32),
                taken,
                positions=np.arange(1, LENGTH + 1),
                time_ms=0,
            )
        )
    return made


def slopes(model: Ranker) -> torch.Tensor:
    """Return by how much each feature moves the logit from -1 to 1."""
    ends = torch.stack([torch.full((1, FEATURES), -1.0), torch.full((1, FEATURES), 1.0)])
    with torch.inference_mode():
        low, high = model.head.usual.explain(ends)[1][:, 0]
    return high - low


def test_what_stood_first_is_not_taken_for_what_is_liked() -> None:
    corrected, naive = ranker(), ranker()
    bias = fit_head(corrected, [], [], lists(), NO_LABELS, SETTINGS, lambda _: None)
    everywhere_first = [replace(one, positions=np.ones(LENGTH, np.int64)) for one in lists()]
    fit_head(naive, [], [], everywhere_first, NO_LABELS, SETTINGS, lambda _: None)
    learned = bias(torch.arange(1, LENGTH + 1)).numpy()
    np.testing.assert_allclose(learned, LOOKED, atol=0.5)
    assert slopes(corrected)[0] > 1.5 * TASTE
    assert abs(slopes(corrected)[1]) < 0.3
    assert slopes(naive)[1] > 0.7


def test_positions_beyond_the_last_count_as_the_last() -> None:
    bias = PositionBias()
    bias.below_P.data.copy_(torch.arange(1.0, POSITIONS))
    assert bias(torch.tensor([1, 2, POSITIONS, POSITIONS + 70])).tolist() == [0, 1, 49, 49]
