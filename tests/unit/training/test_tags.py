"""The tags of a release, collected from a data set."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets.format import Dataset
from training.datasets.source import open_dataset
from training.phrases import frequent_phrases
from training.tags import collect_tags, names_to_encode, unrelated_cosine
from training.vocabulary import count_names


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    lines = ["item_id,title,description,categories,tags,language_code,year,price"]
    for row in range(200):
        together = "A star trek story" if row < 6 else f"word{row} other{row}"
        chinese = "火星" if row in range(10, 16) else ""
        lines.append(
            f"i{row},{together},{chinese},Film,tag{row // 4}|rare{row},en,{1800 + row},1.5"
        )
    (tmp_path / "items.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "interactions.csv").write_text(
        "user_id,item_id,timestamp,action\n" + "".join(f"u,i{n},{n + 1},view\n" for n in range(200))
    )
    return open_dataset(str(tmp_path), rejects=None)


def test_phrases_are_words_that_stand_together_unlike_by_chance(dataset: Dataset) -> None:
    phrases = frequent_phrases(dataset)
    assert phrases["star trek"] == list(range(6))
    assert phrases["火星"] == list(range(10, 16))
    assert not any("word" in phrase for phrase in phrases)


def test_items_are_listed_by_each_of_their_names(dataset: Dataset) -> None:
    tags = collect_tags(dataset, count_names(dataset))
    assert tags.names[0] == "Film"
    place = list(tags.names).index("tag1")
    assert tags.rows[tags.starts[place] : tags.starts[place + 1]].tolist() == [4, 5, 6, 7]
    assert "star trek" in tags.names
    encoded = names_to_encode(tags)
    assert {"Film", "tag0", "star trek"} <= set(encoded)
    assert not any(name.startswith("rare") for name in encoded)


def test_the_vocabulary_knows_numbers_and_languages(dataset: Dataset) -> None:
    vocabulary = count_names(dataset)
    assert vocabulary.attributes == {"price": "double", "year": "int64"}
    assert vocabulary.languages == ["en"]


def test_unrelated_names_set_the_mark() -> None:
    assert unrelated_cosine(np.zeros((0, 4), np.float32), seed=0) == 1.0
    assert unrelated_cosine(np.eye(200, dtype=np.float32), seed=0) == 0.0
    random = np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32)
    unit = random / np.linalg.norm(random, axis=1, keepdims=True)
    mark = unrelated_cosine(unit, seed=0)
    cosines = (unit @ unit.T)[np.triu_indices(300, 1)]
    assert (cosines > mark).mean() == pytest.approx(0.01, abs=0.003)
