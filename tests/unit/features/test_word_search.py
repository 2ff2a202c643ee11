"""Texts as words, items by their words, and what words rule out."""

from pathlib import Path

import numpy as np
import pytest

from features.vocabulary import Vocabulary
from features.wishes import read_wishes
from features.word_index import index_texts, read_word_index
from features.word_tokens import CHARACTERS_MOST, word_tokens
from features.words import profile_words, request_words
from tandem.v1.user_pb2 import InterestTag, UserProfile

TEXTS = [
    "Rocket to the red planet. science fiction, aliens",
    "A garden of roses. drama",
    "慢节奏的科幻片，讲述火星上的孤独",
    "Kitchen stories. comedy, cooking",
    "",
]
VOCABULARY = Vocabulary(
    {"Film": 90, "Horror": 10, "gore": 4, "excessive gore": 1, "science fiction": 9, "恐怖": 3}, 100
)


def test_words_lose_case_plurals_and_what_tells_nothing() -> None:
    assert word_tokens("The Stories of the ALIENS, and a bus") == ["story", "alien", "bus"]
    assert word_tokens("ＲＯＣＫＥＴ-７") == ["rocket", "7"]
    assert word_tokens("the and of 的 了") == []
    assert word_tokens("!?…") == []


def test_chinese_is_segmented_and_compounds_also_into_their_parts() -> None:
    tokens = word_tokens("科幻片 with rockets")
    assert {"科幻", "科幻片", "rocket"} <= set(tokens)


def test_of_a_very_long_text_only_the_beginning_is_read() -> None:
    assert len(word_tokens("word " * 100_000)) <= CHARACTERS_MOST // 5


@pytest.mark.parametrize(
    ("words", "first"), [("alien rockets", 0), ("roses", 1), ("科幻", 2), ("some cooking", 3)]
)
def test_items_are_found_by_their_words(tmp_path: Path, words: str, first: int) -> None:
    built = index_texts(TEXTS)
    built.save(tmp_path / "words")
    for index in (built, read_word_index(tmp_path / "words", len(TEXTS))):
        scores = index.scores(words)
        assert scores.dtype == np.float32
        assert scores.argmax() == first
        assert scores[4] == 0


def test_words_that_nothing_shares_find_nothing(tmp_path: Path) -> None:
    for words in ("zeppelin", "the", "", "\U0001f600", "कथा"):
        assert not index_texts(TEXTS).scores(words).any()
    nothing = index_texts(["", "!"])
    nothing.save(tmp_path / "words")
    assert not read_word_index(tmp_path / "words", 2).scores("rocket").any()


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("slow science fiction, no gore", "slow science fiction", ("gore",)),
        ("No gore!", "", ("gore",)),
        ("comedies but not horror or war films", "comedies but", ("horror", "war")),
        ("Nothing with zombies. I like dogs.", "I like dogs.", ("zombies",)),
        ("I don't like gore and blood", "I", ("gore", "blood")),
        ("something for the kids, not another sequel", "something for the kids", ("sequel",)),
        ("喜欢科幻片，不要血腥和恐怖", "喜欢科幻片", ("血腥", "恐怖")),
        ("不想看恐怖片，最好是喜剧", "最好是喜剧", ("恐怖片",)),
        ("not only funny but sad", "not only funny but sad", ()),
        ("not too long", "not too long", ()),
        ("No country for old men", "No country for old men", ()),
        ("notes and knots", "notes and knots", ()),
        ("not", "not", ()),
        ("", "", ()),
    ],
)
def test_what_words_rule_out_is_told_from_what_they_ask_for(
    text: str, wanted: str, unwanted: tuple[str, ...]
) -> None:
    wishes = read_wishes(text)
    assert wishes.wanted == wanted
    assert wishes.unwanted == unwanted


def test_neither_encoder_nor_index_hears_what_is_ruled_out() -> None:
    profile = UserProfile(text="robots, no gore", interest_tags=[InterestTag(tag="space")])
    assert request_words("", profile, []).text == "robots. space"
    assert request_words("aliens without war", profile, []).text == "aliens"
    # Who only rules something out has said nothing of what they want this time.
    assert request_words("no blood", profile, []).text == "robots. space"
    assert profile_words("no gore", ["space"]) == "space"


def test_names_are_found_in_words() -> None:
    assert VOCABULARY.named("Slow Science Fiction films") == ["science fiction", "Film"]
    assert VOCABULARY.named("science") == []


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("gore", ["gore", "excessive gore"]),
        ("horror films", ["Horror"]),
        ("films", ["Film"]),
        ("恐怖片", ["恐怖"]),
        ("zeppelins", []),
        ("the", []),
    ],
)
def test_a_phrase_rules_out_names_but_not_what_nearly_everything_is(
    phrase: str, names: list[str]
) -> None:
    assert VOCABULARY.ruled_out(phrase) == names
