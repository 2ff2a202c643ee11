"""Preparing encoder directories."""

import json
from pathlib import Path

import pytest

from tandem_cli import encoder_conversion
from tandem_cli.encoder_directory import prepare, read_about
from tandem_cli.encoder_settings import EncoderUnusable, read_settings
from tests.support.tiny_encoder import write_pooling, write_tiny_encoder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_tiny_encoder(tmp_path / "Tiny Encoder")


def test_a_prepared_directory_holds_all_that_its_readers_need(
    weights: Path, tmp_path: Path
) -> None:
    directory = prepare(weights, tmp_path / "out")
    files = {str(file.relative_to(directory)) for file in directory.rglob("*") if file.is_file()}
    assert files == {
        "encoder.json",
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "openvino/encoder.xml",
        "openvino/encoder.bin",
    }
    about = read_about(directory)
    assert about.pop("version") == directory.name
    assert directory.name.startswith("tiny-encoder-")
    assert len(directory.name) == len("tiny-encoder-") + 12
    assert about == {
        "format": 1,
        "name": "Tiny Encoder",
        "dimension": 32,
        "model_type": "bert",
        "pooling": "mean",
        "max_tokens": 32,
        "pad_id": 0,
    }


def test_a_complete_directory_is_reused(weights: Path, tmp_path: Path) -> None:
    directory = prepare(weights, tmp_path / "out")
    before = (directory / "openvino" / "encoder.xml").stat().st_mtime_ns
    assert prepare(weights, tmp_path / "out") == directory
    assert (directory / "openvino" / "encoder.xml").stat().st_mtime_ns == before


def test_what_changes_the_vectors_changes_the_version(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    versions = {prepare(weights, out).name}
    write_pooling(weights, "cls")
    versions.add(prepare(weights, out).name)
    (weights / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 16}))
    versions.add(prepare(weights, out).name)
    write_tiny_encoder(weights, seed=1)
    versions.add(prepare(weights, out).name)
    assert len(versions) == 4


def test_a_failed_preparation_leaves_nothing(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_conversion, "COSINE_MIN", 1.5)
    with pytest.raises(EncoderUnusable, match=r"the cosine to torch is 1\.0000, not 1\.5"):
        prepare(weights, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_directory_without_weights_is_named(weights: Path, tmp_path: Path) -> None:
    (weights / "model.safetensors").unlink()
    with pytest.raises(EncoderUnusable, match=r"Tiny Encoder: there is no model.safetensors in it"):
        prepare(weights, tmp_path / "out")


def test_weights_that_are_cut_short_are_one_line(weights: Path, tmp_path: Path) -> None:
    file = weights / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(EncoderUnusable) as error:
        prepare(weights, tmp_path / "out")
    assert "\n" not in str(error.value)


def test_a_pooling_that_is_not_supported_is_named(weights: Path) -> None:
    write_pooling(weights, "max")
    with pytest.raises(EncoderUnusable, match="pooling pooling_mode_max_tokens is neither"):
        read_settings(weights)


def test_the_newer_spelling_of_the_pooling_is_read(weights: Path) -> None:
    (weights / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    assert read_settings(weights)["pooling"] == "cls"


def test_without_sentence_transformers_files_it_is_the_mean_over_all_positions(
    weights: Path,
) -> None:
    (weights / "1_Pooling" / "config.json").unlink()
    (weights / "sentence_bert_config.json").unlink()
    settings = read_settings(weights)
    assert settings["pooling"] == "mean"
    assert settings["max_tokens"] == 64


def test_a_directory_that_was_not_prepared_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnusable, match=r"there is no encoder.json in it"):
        read_about(tmp_path)
