"""Trees learn what an additive head cannot: that two features mean something only together."""

from dataclasses import replace

import lightgbm
import numpy as np
import pytest
import torch

from models.ranker.config import TREES
from models.ranker.ranker import Ranker
from models.ranker.tree_head import TreeHead
from tests.support.rankers import FEATURES, bert_config, random_ranker
from training.examples import Example
from training.ranker import trees
from training.ranker.head import fit_head
from training.ranker.labels import Labels
from training.settings import TrainSettings
from training.sources import Found
from training.targets import Target
from training.words import NO_WORDS

SETTINGS = TrainSettings(seed=1, head_epochs=20)
USERS, CANDIDATES = 150, 20


def ranker_of(head: str) -> Ranker:
    whole = random_ranker(bert_config())
    outcomes = ["engage", "like", "rating"]
    config = replace(whole.config, head=head, language=False, outcomes=outcomes)
    torch.manual_seed(0)
    return Ranker(config, whole.language_model)


def example(user: int, features: np.ndarray, found_at: int) -> Example:
    nothing = np.zeros((len(features), 1), np.float32)
    return Example(
        Target(user, 0, NO_WORDS),
        Found(np.arange(len(features), dtype=np.int32), nothing, nothing.astype(np.int32)),
        np.zeros(1, np.float32),
        features.astype(np.float16),
        np.zeros(3, np.float32),
        found_at,
    )


def exclusive(users: int, seed: int) -> list[Example]:
    """Return examples whose target alone has exactly one of the first two features above 0."""
    random = np.random.default_rng(seed)
    made = []
    for user in range(users):
        features = random.normal(size=(CANDIDATES, FEATURES))
        features[:, 1] = np.abs(features[:, 1]) * np.sign(features[:, 0])
        found_at = int(random.integers(CANDIDATES))
        features[found_at, 1] *= -1
        made.append(example(user, features, found_at))
    return made


def judgements(seed: int = 5) -> tuple[list[Example], Labels]:
    """Return judgements of which liking is as exclusive, and the rating is twice the third."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(600, FEATURES)).astype(np.float16).astype(np.float32)
    like = (features[:, 0] > 0) != (features[:, 1] > 0)
    labels = np.column_stack([like, 2 * features[:, 2]]).astype(np.float32)
    labels[::7, 0] = np.nan
    made = [example(user, features[user : user + 1], 0) for user in range(600)]
    return made, Labels(torch.from_numpy(labels), np.arange(600))


def first_places(ranker: Ranker, examples: list[Example]) -> float:
    """Return the share of targets that are first among their candidates."""
    right = 0
    for one in examples:
        features = ranker.standardised(torch.from_numpy(one.features.astype(np.float32))[None])
        with torch.inference_mode():
            logits = ranker.head(torch.zeros(1, len(one.rows), 32), features, *nobody_new(features))
        right += int(logits[0, :, 0].argmax()) == one.found_at
    return right / len(examples)


def nobody_new(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    new = torch.zeros_like(features, dtype=torch.bool)
    return new[..., 0], new


def fitted(seed: int = 1) -> Ranker:
    ranker, (judged, labels) = ranker_of(TREES), judgements()
    ranker.head.bias[0] = -2.0
    learn, validate = exclusive(USERS, seed=1), exclusive(40, seed=2)
    settings = replace(SETTINGS, seed=seed)
    trees.fit_trees(ranker, learn, validate, judged, labels, settings, lambda _: None)
    return ranker


def test_trees_learn_what_two_features_mean_together_and_the_additive_head_cannot() -> None:
    test = exclusive(60, seed=3)
    additive, (_, labels) = ranker_of("additive"), judgements()
    fit_head(additive, exclusive(USERS, seed=1), [], [], labels, SETTINGS, print)
    ranker = fitted()
    reached = first_places(ranker, test)
    assert reached > 0.8
    assert first_places(additive, test) < reached / 2
    assert ranker.head.bias[0] == -2.0


def test_other_outcomes_are_learned_from_judgements() -> None:
    ranker, (judged, labels) = fitted(), judgements(seed=6)
    features = torch.from_numpy(np.stack([one.features for one in judged]).astype(np.float32))
    with torch.inference_mode():
        logits = ranker.head(
            torch.zeros(600, 1, 32), ranker.standardised(features), *nobody_new(features)
        )[:, 0]
    like, rating = labels.of_events.T
    known = torch.isfinite(like)
    assert ((logits[known, 1] > 0) == (like[known] > 0.5)).float().mean() > 0.9
    assert (logits[:, 2] - rating).square().mean() < 0.2 * rating.var()


def test_the_softmax_has_the_derivatives_of_the_cross_entropy_of_each_list() -> None:
    random = np.random.default_rng(0)
    labels = np.array([0, 1, 0, 0, 0, 0, 1], np.float32)
    lists = lightgbm.Dataset(random.normal(size=(7, 1)), labels, group=[3, 4])
    scores = torch.tensor(random.normal(size=7) * 3, requires_grad=True)

    def loss(scores: torch.Tensor) -> torch.Tensor:
        first, second = scores.split([3, 4])
        return -first.log_softmax(0)[1] - second.log_softmax(0)[3]

    slopes, curvatures = trees.softmax(scores.detach().numpy(), lists)
    (wanted,) = torch.autograd.grad(loss(scores), scores)
    np.testing.assert_allclose(slopes, wanted.numpy(), atol=1e-9)
    hessian = torch.autograd.functional.hessian(loss, scores.detach())
    np.testing.assert_allclose(curvatures, hessian.diagonal().numpy(), atol=1e-9)


def test_the_same_seed_grows_the_same_trees() -> None:
    first, again, other = (fitted(seed).head.state_dict()["_extra_state"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_of_many_candidates_a_sample_and_the_target_are_learned_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trees, "ROWS", USERS * 10)
    monkeypatch.setattr(trees, "LEAST_DRAWN", 1)
    seen = []
    real = trees._dataset

    def remember(features: np.ndarray, labels: np.ndarray, *rest: object) -> object:
        seen.append((features, labels, rest))
        return real(features, labels, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(trees, "_dataset", remember)
    ranker = fitted()
    _, labels, (_, sizes) = seen[0]
    assert sizes == [10] * USERS
    assert (labels.reshape(USERS, 10).sum(axis=1) == 1).all()
    learned = exclusive(USERS, seed=1)[4]
    target = ranker.standardised(torch.from_numpy(learned.features.astype(np.float32))).numpy()
    rows = seen[0][0].reshape(USERS, 10, FEATURES)[4]
    assert (rows[labels[40:50] == 1] == target[learned.found_at]).all()
    assert len(np.unique(rows, axis=0)) == 10
    assert first_places(ranker, exclusive(60, seed=3)) > 0.5


def test_what_too_few_judgements_tell_of_stays_without_trees() -> None:
    ranker, (judged, labels) = ranker_of(TREES), judgements()
    learn = exclusive(20, seed=1)
    trees.fit_trees(ranker, learn, [], judged[:30], labels, SETTINGS, lambda _: None)
    assert isinstance(ranker.head, TreeHead)
    features = torch.randn(1, 4, FEATURES)
    assert not ranker.head.parts(features, nobody_new(features)[1])[..., 1:].any()
