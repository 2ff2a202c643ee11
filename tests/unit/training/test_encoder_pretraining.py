import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModel

from tandem_cli.encoder_settings import read_settings
from tests.support.rankers import bert_config
from tests.support.trained import write_two_tastes
from training.datasets import open_dataset
from training.encoder.gain import found_by_meaning, verdict
from training.encoder.masked_model import MaskedModel
from training.encoder.masking import masked
from training.encoder.model import encode
from training.encoder.pretraining_run import REPORT, pretrain_encoder
from training.encoder.settings import PretrainSettings
from training.encoder.texts import batches_of, need_mask, tokens_of
from training.errors import TrainingError
from training.interactions import interactions_of

torch.set_num_threads(1)
SETTINGS = PretrainSettings(
    steps=40, head_steps=10, batch_texts=8, looks=4, learning_rate=1e-3, held_out_share=0.2
)
WORDS = ["[PAD]", "[UNK]", "[MASK]", "red", "blue", "thing", "things", *map(str, range(40))]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    AutoModel.from_config(bert_config()).save_pretrained(directory)
    write_tokenizer(directory, WORDS)
    return directory


def write_tokenizer(directory: Path, words: list[str]) -> None:
    vocabulary = {word: n for n, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(directory / "tokenizer.json"))


def run(dataset: Path, out: Path, encoder: Path, said: list[str]):
    return pretrain_encoder(
        str(dataset),
        out,
        weights=encoder,
        tokenizer_directory=encoder,
        pooling="mean",
        pad_id=0,
        max_tokens=32,
        settings=SETTINGS,
        say=said.append,
    )


def test_fifteen_percent_are_hidden_and_most_of_those_read_as_the_mask() -> None:
    ids = torch.randint(10, 100, (400, 50), generator=torch.Generator().manual_seed(1))
    words = torch.ones_like(ids, dtype=torch.bool)
    words[:, 0] = False
    read, hidden = masked(ids, words, 3, 100, torch.Generator().manual_seed(2))
    assert hidden.float().mean() == pytest.approx(0.15 * 49 / 50, abs=0.01)
    assert not hidden[:, 0].any()
    assert bool((read == ids)[~hidden].all())
    assert (read == 3)[hidden].float().mean() == pytest.approx(0.8, abs=0.02)
    assert (read == ids)[hidden].float().mean() == pytest.approx(0.1, abs=0.02)


def test_a_short_text_has_one_word_hidden_and_one_without_words_none() -> None:
    ids = torch.full((200, 2), 7)
    words = torch.tensor([[False, True]]).repeat(200, 1)
    words[:50] = False
    _, hidden = masked(ids, words, 3, 100, torch.Generator().manual_seed(2))
    assert hidden.sum(dim=1).tolist() == [0] * 50 + [1] * 150


def test_batches_hold_each_text_once_a_round(encoder: Path) -> None:
    tokens = tokens_of(encoder, [f"red thing {n % 7}" for n in range(45)], 0, 16)
    batches = batches_of(tokens, 8, np.random.default_rng(0))
    one_round = [next(batches) for _ in range(6)]
    assert sorted(place for some in one_round for place in some) == list(range(45))


def test_padding_changes_no_vector(encoder: Path) -> None:
    model = MaskedModel(encoder, "mean", 0)
    texts = ["red thing 1", "blue", "red things 2 3 4 5 6 7 8 9"]
    together = encode(model, tokens_of(encoder, texts, 0, 16), lambda _: None)
    alone = np.concatenate(
        [encode(model, tokens_of(encoder, [t], 0, 16), lambda _: None) for t in texts]
    )
    np.testing.assert_allclose(together, alone, atol=2e-2)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)


def test_pre_training_lowers_the_held_out_loss_and_writes_an_encoder(
    tmp_path: Path, encoder: Path
) -> None:
    dataset, out = write_two_tastes(tmp_path / "data"), tmp_path / "out"
    said: list[str] = []
    gain = run(dataset, out, encoder, said)
    assert gain.losses.after < gain.losses.before < gain.losses.untouched
    assert gain.recall is not None
    assert gain.recall.count == 60
    settings = read_settings(out)
    assert settings["pooling"] == "mean"
    before, after = (AutoModel.from_pretrained(d).state_dict() for d in (encoder, out))
    assert before.keys() == after.keys()
    name = "encoder.layer.0.output.dense.weight"
    assert not torch.equal(before[name], after[name])
    report = json.loads((out / REPORT).read_text())
    assert report["held_out_loss"]["after"] == gain.losses.after
    assert report["recall@200"]["before"]["mean"] == 1.0  # there are but 40 items
    assert any("held-out masked-LM loss" in line for line in said)
    with pytest.raises(TrainingError, match="never overwritten"):
        run(dataset, out, encoder, said)


def test_a_tokenizer_without_a_mask_is_told(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, ["[PAD]", "[UNK]", "red"])
    with pytest.raises(TrainingError, match=r"neither \[MASK\] nor <mask>"):
        need_mask(tokens_of(tmp_path, ["red"], 0, 16), tmp_path)


def test_meaning_finds_what_is_near_the_history_and_only_that(tmp_path: Path) -> None:
    items = "\n".join(f"i{n},thing {n}" for n in range(500))
    (tmp_path / "items.csv").write_text(f"item_id,title\n{items}\n")
    rows = ["u0,i0,1000000000", "u0,i1,1000000100", "u1,i0,1000000000", "u1,i499,1000000100"]
    (tmp_path / "interactions.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    known = interactions_of(open_dataset(str(tmp_path), rejects=None))
    angles = np.linspace(0.0, 1.5, 500)
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    hits = found_by_meaning(known, np.array([1, 1]), vectors, repeat=False)
    assert hits.tolist() == [1.0, 0.0]
    vectors[1] = 0.0  # an item without a text
    assert found_by_meaning(known, np.array([1, -1]), vectors, repeat=False).tolist() == [0.0]


def test_a_loss_is_called_a_loss() -> None:
    def said(low: float, high: float) -> str:
        middle = (low + high) / 2
        return verdict({"difference": middle, "ci95": [low, high], "p_value": 0.5})

    assert "LOWERED recall by 0.0200" in said(-0.03, -0.01)
    assert "raised recall by 0.0200" in said(0.01, 0.03)
    assert "no sure gain" in said(-0.01, 0.03)
