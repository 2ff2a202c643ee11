import json
import sys
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import torch

from models.ranker.config import TREES, RankerConfig, load_config
from models.ranker.packed_user import collate
from models.ranker.ranker import Ranker, load_ranker
from models.ranker.tree_head import TreeHead
from tests.support.rankers import FEATURES, bert_config, random_ranker, random_user


def grown(seed: int) -> str:
    """Return an ensemble, as text, that has learned a product of two features and a third."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(2_000, FEATURES))
    wanted = features[:, 0] * features[:, 1] + features[:, 2]
    parameters = {"verbose": -1, "num_threads": 1, "num_leaves": 15}
    trees = lightgbm.train(parameters, lightgbm.Dataset(features, wanted), 100)
    return str(trees.model_to_string())


@pytest.fixture
def head() -> TreeHead:
    head = TreeHead(width=4, features=FEATURES, outcomes=3)
    head.plant(0, grown(seed=0), level=-3.0)
    head.plant(2, grown(seed=1))
    return head


@pytest.fixture
def ranker(head: TreeHead) -> Ranker:
    whole = random_ranker(bert_config())
    outcomes = ["engage", "like", "rating"]
    config = replace(whole.config, outcomes=outcomes, head=TREES, language=False)
    ranker = Ranker(config, whole.language_model)
    ranker.head.load_state_dict(head.state_dict() | {"language.weight": torch.zeros(3, 32)})
    return ranker.eval()


def some_features() -> torch.Tensor:
    return torch.randn(2, 7, FEATURES, generator=torch.Generator().manual_seed(3))


def logits(head: TreeHead, features: torch.Tensor) -> torch.Tensor:
    return head(torch.zeros(*features.shape[:2], 4), features, *nobody_new(features))


def parts(head: TreeHead, features: torch.Tensor) -> torch.Tensor:
    return head.parts(features, nobody_new(features)[1])


def nobody_new(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    new = torch.zeros_like(features, dtype=torch.bool)
    return new[..., 0], new


def test_parts_and_bias_sum_to_the_logits(head: TreeHead) -> None:
    features = some_features()
    found = logits(head, features)
    assert (found.std((0, 1))[[0, 2]] > 0.3).all()
    torch.testing.assert_close(parts(head, features).sum(-2) + head.bias, found)


def test_the_logits_are_what_the_trees_say_at_the_level_that_was_asked_for(head: TreeHead) -> None:
    rows = some_features().flatten(0, 1).double().numpy()
    found = logits(head, some_features()).flatten(0, 1)
    free = lightgbm.Booster(model_str=grown(seed=1)).predict(rows)
    torch.testing.assert_close(found[:, 2].double(), torch.from_numpy(free), atol=1e-5, rtol=1e-5)
    shifted = lightgbm.Booster(model_str=grown(seed=0)).predict(rows)
    torch.testing.assert_close(
        found[:, 0].double() - found[0, 0].double(),
        torch.from_numpy(shifted - shifted[0]),
        atol=1e-5,
        rtol=1e-5,
    )
    assert head.bias[0] == -3.0


def test_an_outcome_without_trees_says_nothing(head: TreeHead) -> None:
    assert not parts(head, some_features())[..., 1].any()
    assert not logits(head, some_features())[..., 1].any()


def test_the_parts_of_a_product_are_shared_by_its_features(head: TreeHead) -> None:
    both = torch.zeros(1, 1, FEATURES)
    both[..., :2] = 1.5
    alone = both.clone()
    alone[..., 1] = 0.0
    shared = parts(head, torch.cat([both, alone], dim=1))[0, ..., 2]
    assert (shared[0, :2] > 0.5).all()
    assert shared[0, 0] > shared[1, 0] + 0.3
    assert shared[0, 3:].abs().max() < 0.2


def test_rescaling_moves_one_outcomes_logit_and_its_parts(head: TreeHead) -> None:
    features = some_features()
    before = logits(head, features)
    head.rescale(0, 2.5, -1.0)
    head.rescale(0, 0.5, 0.25)
    after = logits(head, features)
    torch.testing.assert_close(after[..., 0], 0.5 * (2.5 * before[..., 0] - 1.0) + 0.25)
    assert torch.equal(after[..., 1:], before[..., 1:])
    torch.testing.assert_close(parts(head, features).sum(-2) + head.bias, after)


def test_a_saved_ranker_of_trees_scores_the_same_when_loaded(
    ranker: Ranker, tmp_path: Path
) -> None:
    ranker.head.rescale(0, 0.7, 0.1)
    ranker.save(tmp_path)
    loaded = load_ranker(tmp_path)
    batch = collate(ranker.config, [random_user(candidates=6)])
    with torch.inference_mode():
        assert torch.equal(loaded(batch), ranker(batch))
        found, language, parts = loaded.explain(batch)
        torch.testing.assert_close(found, loaded(batch))
    assert found[..., 0].std() > 0.1
    assert not language.any()
    torch.testing.assert_close(parts.sum(-1) + loaded.head.bias[0], found[..., 0])


def test_trees_see_features_as_training_kept_them(ranker: Ranker) -> None:
    """An example in half precision and the request that it stands for step at the same values."""
    ranker.feature_scale.copy_(torch.tensor([0.3, 1.7, 0.9, 1.0, 2.0]))
    features = torch.rand(1, 500, FEATURES, generator=torch.Generator().manual_seed(5))
    kept = features.half().float()
    assert not torch.equal(features, kept)
    assert torch.equal(ranker.standardised(features), ranker.standardised(kept))


def test_without_lightgbm_loading_says_what_is_missing(
    ranker: Ranker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker.save(tmp_path)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ImportError, match="pip install lightgbm"):
        load_ranker(tmp_path)


def test_a_ranker_without_trees_needs_no_lightgbm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    random_ranker(bert_config()).save(tmp_path)
    assert isinstance(load_ranker(tmp_path), Ranker)


def test_a_configuration_of_before_there_were_trees_is_additive(tmp_path: Path) -> None:
    random_ranker(bert_config()).config.save(tmp_path)
    stored = json.loads((tmp_path / "config.json").read_text())
    assert stored.pop("head") == "additive"
    (tmp_path / "config.json").write_text(json.dumps(stored))
    assert load_config(tmp_path).head == "additive"


@pytest.mark.parametrize("change", [{"head": "forest"}, {"head": TREES, "language": True}])
def test_a_head_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="head"):
        RankerConfig(**{**vars(random_ranker(bert_config()).config), **change})  # type: ignore[arg-type]
