"""`tandem train encoder --behaviour` with a small encoder, on tastes that no text tells."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel
from typer.testing import CliRunner

from tandem_cli.__main__ import app
from tandem_cli.encoder_directory import prepare, read_about
from tests.support.rankers import bert_config

torch.set_num_threads(1)
TASTES, WORDS, NUMBERS, USERS, EVENTS = 4, 15, 10, 80, 14
NAMES = [f"word{n}" for n in range(TASTES * WORDS)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words without meaning; who likes some of a taste's words likes its other words next."""
    directory = tmp_path_factory.mktemp("tastes")
    titles = [f"{word} {number}" for word in NAMES for number in range(NUMBERS)]
    items = [
        f"i{n},{title},taste {chr(97 + n // (WORDS * NUMBERS))}" for n, title in enumerate(titles)
    ]
    (directory / "items.csv").write_text("\n".join(["item_id,title,categories", *items]) + "\n")
    random = np.random.default_rng(0)
    events = ["user_id,item_id,timestamp"]
    for user in range(USERS):
        for step, word in enumerate(random.permutation(WORDS)[:EVENTS].tolist()):
            place = (user % TASTES * WORDS + word) * NUMBERS + int(random.integers(NUMBERS))
            events.append(f"u{user},i{place},{1_600_000_000 + 1_000 * step + user}")
    (directory / "interactions.csv").write_text("\n".join(events) + "\n")
    return directory


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that knows the words but not the categories, which would tell it tastes."""
    directory = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    AutoModel.from_config(bert_config()).save_pretrained(directory)
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *NAMES, *map(str, range(NUMBERS))]
    tokenizer = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(known)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


def run(dataset: Path, out: Path, encoder: Path, *more: str) -> tuple[int, str]:
    arguments = ["--dataset", dataset, "--out", out, "--encoder", encoder]
    arguments += ["--encoders", out.parent / "encoders", *more]
    command = ["train", "encoder", "--behaviour", *map(str, arguments)]
    result = CliRunner().invoke(app, command)
    return result.exit_code, f"{result.output}{result.exception or ''}"


def test_fine_tuning_on_behaviour_finds_what_texts_alone_do_not(
    tmp_path: Path, dataset: Path, encoder: Path
) -> None:
    out = tmp_path / "out"
    more = ["--steps", "60", "--learning-rate", "1e-3", "--anchor", "0"]
    status, said = run(dataset, out, encoder, *more)
    assert status == 0, said
    assert said.count("training raised recall") == 2
    report = json.loads((out / "behaviour.json").read_text())
    assert report["steps"] > 0
    for events in ("validation", "test"):
        recall = report["recall@200"][events]
        assert recall["count"] == USERS
        assert recall["before"]["mean"] < 0.6
        assert recall["after"]["mean"] > 0.9
    assert report["labels_precision@10"]["count"] == TASTES
    assert report["settings"]["anchor"] == 0.0
    # What was written is an encoder as any other: Triton's directory can be made of it.
    assert read_about(prepare(out, tmp_path / "encoders"))["dimension"] == 32
    before, after = (AutoModel.from_pretrained(d).state_dict() for d in (encoder, out))
    assert before.keys() == after.keys()


def test_an_anchor_holds_the_vectors(tmp_path: Path, dataset: Path, encoder: Path) -> None:
    out = tmp_path / "out"
    more = ["--steps", "60", "--learning-rate", "1e-3", "--anchor", "1000"]
    status, said = run(dataset, out, encoder, *more)
    assert status == 0, said
    report = json.loads((out / "behaviour.json").read_text())
    assert report["recall@200"]["validation"]["after"]["mean"] < 0.9


def test_too_little_behaviour_is_told_and_nothing_is_written(
    tmp_path: Path, dataset: Path, encoder: Path
) -> None:
    (tmp_path / "items.csv").write_text((dataset / "items.csv").read_text())
    few = (dataset / "interactions.csv").read_text().splitlines()[:15]
    (tmp_path / "interactions.csv").write_text("\n".join(few) + "\n")
    status, said = run(tmp_path, tmp_path / "out", encoder)
    assert status == 1
    assert "10 times somebody took an item with a text after another" in said
    assert not (tmp_path / "out").exists()
