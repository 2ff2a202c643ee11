from pathlib import Path

import numpy as np
import pytest

from features.word_tokens import word_tokens
from training.datasets.source import open_dataset
from training.interactions import interactions_of
from training.words import NO_WORDS, Words, collect_words


@pytest.fixture
def words(tmp_path: Path) -> Words:
    (tmp_path / "items.csv").write_text(
        "item_id,title,categories\na,A,Tea|Green|Odd\nb,B,\nc,C,Tea|Green\n"
    )
    (tmp_path / "users.csv").write_text("user_id,text\nwriter,\nprofiled,Likes tea.\n")
    (tmp_path / "interactions.csv").write_text(
        "user_id,item_id,timestamp,action,text\n"
        "writer,a,1000,view,\n"
        "writer,b,1003,view,Third  came.\n"
        "writer,a,1001,view,Second came.\n"
        "writer,a,1002,impression,Only shown.\n"
        "profiled,a,1000,view,Nice.\n"
        "profiled,b,1001,view,\n"
    )
    dataset = open_dataset(str(tmp_path), rejects=None)
    return collect_words(dataset, interactions_of(dataset), seed=0)


def test_a_review_is_known_only_after_its_event(words: Words) -> None:
    assert [words.texts[words.known(0, place)[0]] for place in range(4)] == [
        "",
        "",
        "Second came.",
        "Third came.",
    ]


def test_a_profile_comes_before_reviews(words: Words) -> None:
    assert words.texts[words.known(1, 1)[0]] == "Likes tea"


def test_an_items_words_are_its_own(words: Words) -> None:
    said = words.texts[words.of_item[0]]
    assert {"tea", "green"} & set(word_tokens(said))
    # What only one item is called would give it away.
    assert "odd" not in said
    assert "{" not in said
    assert words.of_item[1] == NO_WORDS
    assert not np.any(words.vectors)


def test_a_taste_is_of_the_older_half_and_of_what_sets_it_apart(tmp_path: Path) -> None:
    items = ["item_id,title,categories"]
    items += [f"{kind}{n},T,{kind}|thing" for kind in ("tea", "coffee", "milk") for n in range(3)]
    (tmp_path / "items.csv").write_text("\n".join(items) + "\n")
    events = ["user_id,item_id,timestamp,action"]
    order = [f"{kind}{n}" for kind in ("tea", "coffee") for n in range(3)]
    events += [f"u,{item},{1000 + place},view" for place, item in enumerate(order)]
    events += ["once,milk0,1000,view"]
    (tmp_path / "interactions.csv").write_text("\n".join(events) + "\n")
    dataset = open_dataset(str(tmp_path), rejects=None)
    words = collect_words(dataset, interactions_of(dataset), seed=0)
    assert word_tokens(words.texts[words.of_taste[0]]).count("tea") == 1
    said = " ".join(words.texts)
    # Everybody's things set nobody apart, the newer half is what is asked for.
    assert "thing" not in words.texts[words.of_taste[0]]
    assert "coffee" not in words.texts[words.of_taste[0]]
    assert words.of_taste[1] == NO_WORDS
    assert "coffee" in said
