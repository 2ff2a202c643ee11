from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from features.candidates import FEATURES
from features.release import open_release
from models.ranker.ranker import Ranker, load_ranker, new_ranker
from models.tower.tower import UserTower, load_tower
from tests.support.trained import SETTINGS, encode_by_words, train_two_tastes, write_two_tastes
from training.datasets import Cleaning
from training.errors import TrainingError
from training.run import train
from training.warm_start import WarmStart, warm_start

SHORT = replace(SETTINGS, epochs=1, head_epochs=1, tower_epochs=1, tower_refit_epochs=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("warm")
    train_two_tastes(directory)
    return directory


def start(home: Path, *, name: str = "two tastes", encoder: str = "words-1") -> WarmStart:
    said: list[str] = []
    base = open_release(home / "release").items
    return warm_start(home / "release", base, name, encoder, said.append)


def fresh(home: Path, **changes: object) -> Ranker:
    config = load_ranker(home / "release" / "ranker").config
    torch.manual_seed(1)
    return new_ranker(replace(config, **changes), home / "encoder")


def test_training_goes_on_from_a_release(home: Path, tmp_path: Path) -> None:
    said: list[str] = []
    with patch("training.run.encode_texts", encode_by_words):
        release_id = train(
            str(home / "dataset"),
            tmp_path / "next",
            encoder_target="",
            encoder_directory=home / "encoder",
            settings=SHORT,
            warm=home / "release",
            cleaning=Cleaning(k_core=2),
            say=said.append,
        )
    first, second = open_release(home / "release"), open_release(tmp_path / "next")
    assert second.release_id == release_id
    assert second.manifest["warm_start"] == first.release_id
    assert first.manifest["warm_start"] == ""
    assert (first.manifest["dataset"]["clean"], second.manifest["dataset"]["clean"]) == (
        [],
        ["k_core=2"],
    )
    assert any("has seen what it is to predict" in line for line in said)
    report = second.manifest["metrics"]["leave_one_out"]
    assert report["tandem"]["ndcg@10"]["mean"] > report["popular"]["ndcg@10"]["mean"]


def test_a_tower_that_has_seen_what_is_to_be_predicted_is_none_to_begin_with(home: Path) -> None:
    begun = start(home)
    newest = begun.release.newest_event_ms
    assert begun.has_seen(np.array([newest + 5, newest]))
    assert not begun.has_seen(np.array([newest + 5, newest + 1]))
    assert not start(home, name="another world").has_seen(np.array([newest]))


def test_a_tower_takes_its_weights_and_the_ids_of_the_same_items(home: Path) -> None:
    old = load_tower(home / "release" / "tower")
    torch.manual_seed(2)
    tower = UserTower(replace(old.config, items=old.config.items))
    begun = start(home)
    begun = replace(begun, rows=begun.rows[:5], old_rows=begun.old_rows[:5])
    anew = tower.items.ids.weight[5:].clone()
    begun.tower(tower)
    for name, value in old.state_dict().items():
        if name != "items.ids.weight":
            assert torch.equal(tower.state_dict()[name], value), name
    assert torch.equal(tower.items.ids.weight[:5], old.items.ids.weight[:5])
    assert torch.equal(tower.items.ids.weight[5:], anew)


def test_a_ranker_takes_all_but_the_ids(home: Path) -> None:
    old, ranker = load_ranker(home / "release" / "ranker"), fresh(home)
    ids = ranker.tokens.ids.weight.clone()
    start(home).ranker(ranker)
    for name, value in old.state_dict().items():
        if name not in ("tokens.ids.weight", "feature_scale"):
            assert torch.equal(ranker.state_dict()[name], value), name
    assert torch.equal(ranker.tokens.ids.weight, ids)


def test_features_and_outcomes_are_found_by_their_names(home: Path) -> None:
    old = load_ranker(home / "release" / "ranker")
    names = ["a new one", *reversed(FEATURES[1:])]
    ranker = fresh(home, features=names, outcomes=["engage", "purchase", "like"])
    before = {name: value.clone() for name, value in ranker.state_dict().items()}
    start(home).ranker(ranker)
    last, like = FEATURES[-1], old.config.outcomes.index("like")
    was, now = FEATURES.index(last), names.index(last)
    head, known = ranker.head, old.head
    assert torch.equal(head.usual.inner_FH[now], known.usual.inner_FH[was])
    assert torch.equal(head.usual.linear_FA[now, 2], known.usual.linear_FA[was, like])
    assert torch.equal(head.usual.outer_FHA[now, :, 0], known.usual.outer_FHA[was, :, 0])
    assert torch.equal(head.language.weight[2], known.language.weight[like])
    candidate, given = ranker.tokens.candidate.weight, old.tokens.candidate.weight
    assert torch.equal(candidate[:, now], given[:, was])
    assert torch.equal(candidate[:, len(names) :], given[:, len(FEATURES) :])
    # What the release knows nothing of stays as it was.
    assert torch.equal(candidate[:, 0], before["tokens.candidate.weight"][:, 0])
    assert torch.equal(head.usual.inner_FH[0], before["head.usual.inner_FH"][0])
    assert torch.equal(head.language.weight[1], before["head.language.weight"][1])


def test_another_encoder_makes_the_text_projections_begin_anew(home: Path) -> None:
    old, ranker = load_ranker(home / "release" / "ranker"), fresh(home)
    text = ranker.tokens.text.weight.clone()
    start(home, encoder="words-2").ranker(ranker)
    assert torch.equal(ranker.tokens.text.weight, text)
    assert torch.equal(ranker.tokens.event.weight, old.tokens.event.weight)


def test_weights_of_media_are_taken_where_the_spaces_are_the_same(home: Path) -> None:
    tower = load_tower(home / "release" / "tower")
    assert tower.items.media is None
    config = replace(tower.config, spaces={"image": 3})
    old, new = UserTower(config).state_dict(), UserTower(config)
    begun = start(home)
    assert begun.same_spaces
    media = new.items.projection()[-3:].clone()
    replace(begun, same_spaces=False)._take(new, old, {})
    assert torch.equal(new.items.projection()[-3:], media)
    begun._take(new, old, {})
    assert torch.equal(new.items.projection()[-3:].T, old["items.media.weight"])


def test_an_equal_id_alone_makes_no_same_item(home: Path) -> None:
    base = open_release(home / "release").items
    other = replace(base, text_hashes=["another text"] * len(base))
    begun = warm_start(home / "release", other, "two tastes", "words-1", lambda _: None)
    assert len(begun.rows) == 0
    assert len(start(home, name="another domain").rows) == 40  # the texts are equal too


def test_a_tower_of_another_width_takes_no_ids(home: Path) -> None:
    old = load_tower(home / "release" / "tower")
    tower = UserTower(replace(old.config, width=old.config.width // 2))
    before = {name: value.clone() for name, value in tower.state_dict().items()}
    said: list[str] = []
    replace(start(home), say=said.append).tower(tower)
    assert torch.equal(tower.items.ids.weight, before["items.ids.weight"])
    assert "the ids of 0 items" in said[0]


def test_what_is_no_release_cannot_be_begun_with(home: Path, tmp_path: Path) -> None:
    base = open_release(home / "release").items
    with pytest.raises(TrainingError, match="is no release"):
        warm_start(write_two_tastes(tmp_path / "d"), base, "x", "y", lambda _: None)
