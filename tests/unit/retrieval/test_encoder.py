"""The encoder as retrieval uses it."""

import pytest

from retrieval_service.encoder import Encoder
from serving.errors import DependencyUnavailable, VersionMismatch
from tests.support.encoder import FakeTextEncoder, fake_vector


async def test_words_are_encoded_only_by_the_version_that_is_wanted() -> None:
    encoder = Encoder(FakeTextEncoder("fake-2"), 10.0)  # type: ignore[arg-type]
    vector = await encoder.encode_words("words", version="fake-2", budget_s=1.0)
    assert vector.tolist() == fake_vector("words").tolist()
    with pytest.raises(VersionMismatch, match="needs text encoder fake-1, fake-2 is served"):
        await encoder.encode_words("words", version="fake-1", budget_s=1.0)


async def test_words_that_were_encoded_a_moment_ago_are_not_encoded_again() -> None:
    text_encoder = FakeTextEncoder("fake-1")
    encoder = Encoder(text_encoder, 10.0, words_kept=2)  # type: ignore[arg-type]
    first = await encoder.encode_words("words", version="fake-1", budget_s=1.0)
    text_encoder.down = True
    again = await encoder.encode_words("words", version="fake-1", budget_s=1.0)
    assert again.tolist() == first.tolist()
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 0.0
    with pytest.raises(DependencyUnavailable):
        await encoder.encode_words("other words", version="fake-1", budget_s=1.0)
    text_encoder.down = False
    for number in range(2):
        await encoder.encode_words(f"words {number}", version="fake-1", budget_s=1.0)
    text_encoder.down = True
    with pytest.raises(DependencyUnavailable):
        await encoder.encode_words("words", version="fake-1", budget_s=1.0)


async def test_no_words_are_kept_where_none_shall_be() -> None:
    text_encoder = FakeTextEncoder("fake-1")
    encoder = Encoder(text_encoder, 10.0, words_kept=0)  # type: ignore[arg-type]
    await encoder.encode_words("words", version="fake-1", budget_s=1.0)
    text_encoder.down = True
    with pytest.raises(DependencyUnavailable):
        await encoder.encode_words("words", version="fake-1", budget_s=1.0)


async def test_an_encoder_that_is_down_is_a_dependency_that_is_unavailable() -> None:
    text_encoder = FakeTextEncoder()
    text_encoder.down = True
    encoder = Encoder(text_encoder, 10.0)  # type: ignore[arg-type]
    with pytest.raises(DependencyUnavailable, match="text_encoder is unavailable: down"):
        await encoder.encode_words("words", version="fake-1", budget_s=1.0)
    with pytest.raises(DependencyUnavailable):
        await encoder.encode_items(["text"])
