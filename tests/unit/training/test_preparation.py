from pathlib import Path

import numpy as np
import pytest

from tests.support.trained import SETTINGS, encode_by_words, write_small_encoder, write_two_tastes
from training.datasets import open_dataset
from training.errors import TrainingError
from training.interactions import interactions_of
from training.preparation import choose_task, prepare, read_material
from training.progress import Say
from training.tuning.data import tuning_data


def test_what_targets_say_is_encoded_and_nothing_else_of_the_words(tmp_path: Path) -> None:
    dataset = open_dataset(str(write_two_tastes(tmp_path / "data")), rejects=None)
    language_model = write_small_encoder(tmp_path / "encoder")
    asked: list[str] = []

    def encode(texts: list[str], say: Say):
        asked.extend(texts)
        return encode_by_words("", texts, say)

    material = read_material(dataset, interactions_of(dataset), SETTINGS.seed)
    task = choose_task(material, SETTINGS, test=True)
    run, encoder = prepare(task, language_model, SETTINGS, encode, lambda _: None)
    assert encoder == "words-1"
    assert asked == task.texts()
    assert asked[: len(dataset.items)] == material.texts
    vectors, _ = encode_by_words("", material.texts, print)
    np.testing.assert_array_equal(run.base.text_vectors, vectors)
    said = set(run.targets.words().tolist())
    for place, text in enumerate(run.words.texts):
        vector, _ = encode_by_words("", [text if place in said else ""], print)
        np.testing.assert_array_equal(run.words.vectors[place], vector[0])
    assert 1 < len(said) < len(run.words.texts), (
        "the data must say something and withhold something"
    )


def test_too_little_to_learn_from_is_told(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\na,a\nb,b\n")
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\nu,a,1600000000\n")
    dataset = open_dataset(str(tmp_path), rejects=None)
    few = "has fewer than 2 interactions or items to learn from"
    with pytest.raises(TrainingError, match=few):
        read_material(dataset, interactions_of(dataset), 1)
    with pytest.raises(TrainingError, match=few):
        tuning_data(dataset, "", tmp_path, SETTINGS, print)
