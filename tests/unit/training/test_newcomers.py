"""What newcomers' lists are ordered by is the least that does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from features.candidates import FEATURES, HIT_FEATURES
from models.ranker.ranker import Ranker
from tests.support.rankers import bert_config, random_ranker
from training.examples import Example
from training.ranker.newcomers import TASTE, fit_newcomers, split_newcomers
from training.settings import TrainSettings
from training.sources import Found
from training.targets import Target

SETTINGS = TrainSettings(seed=1)
CANDIDATES = 20


@pytest.fixture
def ranker() -> Ranker:
    whole = random_ranker(bert_config())
    torch.manual_seed(0)
    return Ranker(replace(whole.config, features=FEATURES, language=False), whole.language_model)


def examples(users: int, told_by: str, seed: int = 0) -> list[Example]:
    """Return two examples of each user, whose target is likely what has most of one feature."""
    random = np.random.default_rng(seed)
    made = []
    for user in np.repeat(np.arange(users), 2).tolist():
        features = random.normal(size=(CANDIDATES, len(FEATURES))).astype(np.float16)
        noise = random.gumbel(size=CANDIDATES)
        at = int((3 * features[:, FEATURES.index(told_by)] + noise).argmax())
        nothing = np.zeros((CANDIDATES, 1), np.float32)
        found = Found(np.arange(CANDIDATES, dtype=np.int32), nothing, nothing.astype(np.int32))
        target = Target(user, 0, forget=True)
        made.append(Example(target, found, np.zeros(1, np.float32), features, np.zeros(3), at))
    return made


def read_by(ranker: Ranker) -> set[str]:
    """Return the features that tell newcomers' first outcome anything."""
    parts = ranker.head.newcomers
    told = parts.linear_FA[:, 0].abs() + parts.outer_FHA[..., 0].abs().sum(-1)
    return {name for name, weight in zip(FEATURES, told.tolist(), strict=True) if weight > 0}


@pytest.mark.parametrize(
    ("told_by", "read"),
    [
        (TASTE, {TASTE}),
        ("near_now", set(FEATURES) - set(HIT_FEATURES)),
        (HIT_FEATURES[0], set(FEATURES)),
    ],
)
def test_more_is_read_only_where_it_tells_more(
    ranker: Ranker, told_by: str, read: set[str]
) -> None:
    learn, check = split_newcomers(examples(150, told_by), seed=0)
    assert not {e.target.user for e in learn} & {e.target.user for e in check}
    fit_newcomers(ranker, learn, check, SETTINGS, lambda _: None)
    assert read_by(ranker) == read


def test_few_newcomers_are_ranked_as_others_are(ranker: Ranker) -> None:
    torch.nn.init.normal_(ranker.head.usual.outer_FHA)
    learn, check = split_newcomers(examples(30, TASTE), seed=0)
    fit_newcomers(ranker, learn, check, SETTINGS, lambda _: None)
    assert torch.equal(ranker.head.newcomers.outer_FHA, ranker.head.usual.outer_FHA)


def test_nobody_new_is_no_error(ranker: Ranker) -> None:
    fit_newcomers(ranker, *split_newcomers([], seed=0), SETTINGS, lambda _: None)
