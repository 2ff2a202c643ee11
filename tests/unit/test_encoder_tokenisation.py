"""Bytes to token ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.text_encoding import tokenisation
from tests.support.tiny_encoder import write_tiny_encoder


@pytest.fixture(scope="module")
def tokenise(tmp_path_factory: pytest.TempPathFactory) -> tokenisation.Tokenisation:
    weights = write_tiny_encoder(tmp_path_factory.mktemp("weights"))
    return tokenisation.Tokenisation(weights / "tokenizer.json", max_tokens=8)


def test_special_tokens_count(tokenise: tokenisation.Tokenisation) -> None:
    ids, truncated = tokenise([b"a film " * 3, b"a film " * 3 + b"a"])
    assert [len(row) for row in ids] == [8, 8]
    assert truncated.tolist() == [False, True]
    assert ids[0] == ids[1]


def test_an_empty_text_is_its_special_tokens(tokenise: tokenisation.Tokenisation) -> None:
    ids, truncated = tokenise([b"", b" \t\n"])
    assert ids == [[2, 3], [2, 3]]
    assert truncated.tolist() == [False, False]


def test_every_han_character_is_a_word(tokenise: tokenisation.Tokenisation) -> None:
    ids, truncated = tokenise(["安静的书店".encode()])
    assert ids == [[2, 9, 10, 11, 12, 13, 3]]
    assert not truncated[0]


def test_characters_past_the_limit_are_left_out_and_reported(
    tokenise: tokenisation.Tokenisation,
) -> None:
    limit = 8 * tokenisation.CHARACTERS_PER_TOKEN_MAX
    within, past = "静".encode() + b" " * (limit - 1), "静".encode() + b" " * limit
    ids, truncated = tokenise([within, past])
    assert ids == [[2, 10, 3], [2, 10, 3]]
    assert truncated.tolist() == [False, True]


def test_four_byte_characters_past_the_limit_are_noticed(
    tokenise: tokenisation.Tokenisation,
) -> None:
    limit = 8 * tokenisation.CHARACTERS_PER_TOKEN_MAX
    # One word, and so one token: only its characters are too many.
    _, truncated = tokenise([("😀" * limit).encode(), ("😀" * (limit + 1)).encode()])
    assert truncated.tolist() == [False, True]


@given(text=st.binary(max_size=400))
def test_any_bytes_have_tokens(tokenise: tokenisation.Tokenisation, text: bytes) -> None:
    ids, _ = tokenise([text])
    assert 2 <= len(ids[0]) <= 8
