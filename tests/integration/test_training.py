import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from features.release import open_release
from models.ranker.ranker import load_ranker
from serving.errors import ReleaseUnusable
from tests.support.rankers import llama_config
from tests.support.trained import (
    SETTINGS,
    train_here,
    train_two_tastes,
    write_small_encoder,
    write_two_tastes,
)
from training.datasets.errors import DatasetError
from training.errors import TrainingError
from training.run import train


@pytest.fixture(scope="module")
def release_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_two_tastes(tmp_path_factory.mktemp("two_tastes"))


def test_a_release_holds_all_that_its_manifest_names(release_directory: Path) -> None:
    release = open_release(release_directory)
    assert release.manifest["dataset"]["interactions"] == 60 * 14
    assert len(release.items) == 40
    assert release.cf.item_factors.shape == (40, 8)
    assert release.neighbours.rows.shape == (40, 10)
    assert len(release.fallback_item_ids) == 40
    assert load_ranker(release.ranker_directory).config.outcomes == ["engage", "like", "rating"]


def test_what_was_trained_beats_popularity_where_tastes_differ(release_directory: Path) -> None:
    report = open_release(release_directory).manifest["metrics"]["leave_one_out"]
    assert report["tandem"]["ndcg@10"]["mean"] > 1.3 * report["popular"]["ndcg@10"]["mean"]


def test_without_any_texts_behaviour_tells_tastes_apart(tmp_path: Path) -> None:
    data = write_two_tastes(tmp_path / "data")
    items = (data / "items.csv").read_text().splitlines()
    (data / "items.csv").write_text("\n".join(line.partition(",")[0] for line in items) + "\n")
    (data / "users.csv").unlink()
    release = open_release(train_here(data, tmp_path))
    report = release.manifest["metrics"]["leave_one_out"]
    assert report["tandem"]["ndcg@10"]["mean"] > 1.3 * report["popular"]["ndcg@10"]["mean"]
    assert not release.tags.names


def test_a_decoder_of_another_width_learns_through_adapters(tmp_path: Path) -> None:
    decoder = llama_config()
    decoder.hidden_size = 48
    directory = write_small_encoder(tmp_path / "decoder", decoder)
    settings = replace(SETTINGS, language_model=str(directory), lora_rank=4, lm_learning_rate=1e-3)
    release = open_release(train_two_tastes(tmp_path, settings=settings))
    ranker = load_ranker(release.ranker_directory)
    assert ranker.config.language_model["model_type"] == "llama"
    assert ranker.config.text_width == 32
    before = load_file(directory / "model.safetensors")
    after = ranker.language_model.state_dict()
    assert set(before) == set(after)
    assert not torch.equal(
        before["layers.0.self_attn.q_proj.weight"], after["layers.0.self_attn.q_proj.weight"]
    )


def test_a_release_says_what_private_fine_tuning_has_spent(tmp_path: Path) -> None:
    private = replace(SETTINGS, epochs=1, private_noise=2.0, private_users=20, lora_rank=2)
    release = open_release(train_two_tastes(tmp_path, settings=private))
    spent = release.manifest["metrics"]["validation"]["private"]
    assert (spent["noise"], spent["users"], spent["steps"]) == (2.0, 60, 3)
    assert spent["sampling_rate"] == pytest.approx(1 / 3)
    assert 0.5 < spent["epsilon"] < 10


def test_all_files_of_a_release_have_the_mode_of_any_new_file(
    release_directory: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").write_text("")
    usual = (tmp_path / "new").stat().st_mode
    files = [path for path in release_directory.rglob("*") if path.is_file()]
    assert files
    assert {path.name for path in files if path.stat().st_mode != usual} == set()


def test_more_text_than_the_language_model_has_positions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"candidate_tokens=100 .* has 128"):
        train_two_tastes(tmp_path, settings=replace(SETTINGS, candidate_tokens=100))


def test_no_user_is_in_a_release(release_directory: Path) -> None:
    for path in release_directory.rglob("*"):
        if path.suffix in {".json", ".jsonl"}:
            assert '"u12"' not in path.read_text()
    lines = (release_directory / "golden.jsonl").read_text().splitlines()
    users = [json.loads(line)["request"]["user"]["userId"] for line in lines]
    assert all(user.startswith("golden-") for user in users)


def test_a_changed_file_makes_a_release_unusable(release_directory: Path) -> None:
    path = release_directory / "fallback.json"
    before = path.read_text()
    path.write_text("[]")
    try:
        with pytest.raises(ReleaseUnusable, match="does not match its hash"):
            open_release(release_directory)
    finally:
        path.write_text(before)


def test_a_release_is_never_overwritten(release_directory: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="never overwritten"):
        train("x", release_directory, encoder_target="", encoder_directory=tmp_path)


def test_a_missing_data_set_leaves_nothing_behind(tmp_path: Path) -> None:
    encoder = write_small_encoder(tmp_path / "encoder")
    out = tmp_path / "out" / "release"
    with pytest.raises(DatasetError):
        train(
            str(tmp_path / "none"),
            out,
            encoder_target="",
            encoder_directory=encoder,
            settings=SETTINGS,
        )
    assert not list((tmp_path / "out").glob("*release*"))


HANDFULS = {
    "two users with an event each": [("a", "x"), ("b", "y")],
    "one user": [("a", f"i{place}") for place in range(8)],
    "one item": [(f"u{place}", "x") for place in range(6)],
    "implicit events of a few": [(f"u{u}", f"i{(u + i) % 7}") for u in range(6) for i in range(5)],
}


@pytest.mark.parametrize("events", HANDFULS.values(), ids=HANDFULS)
def test_a_handful_of_unrated_events_gives_a_release(
    events: list[tuple[str, str]], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    rows = [f"{user},{item},{10**9 + place}" for place, (user, item) in enumerate(events)]
    (data / "interactions.csv").write_text("user_id,item_id,timestamp\n" + "\n".join(rows))
    (data / "items.csv").write_text("item_id,title\nx,red thing\nunused,blue thing\n")
    release = train_here(data, tmp_path, settings=replace(SETTINGS, epochs=1, tower_epochs=1))
    assert load_ranker(release / "ranker").config.outcomes == ["engage"]
    assert len(open_release(release).items) == len({item for _, item in events} | {"x", "unused"})
