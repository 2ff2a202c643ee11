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


async def test_an_encoder_that_is_down_is_a_dependency_that_is_unavailable() -> None:
    text_encoder = FakeTextEncoder()
    text_encoder.down = True
    encoder = Encoder(text_encoder, 10.0)  # type: ignore[arg-type]
    with pytest.raises(DependencyUnavailable, match="text_encoder is unavailable: down"):
        await encoder.encode_words("words", version="fake-1", budget_s=1.0)
    with pytest.raises(DependencyUnavailable):
        await encoder.encode_items(["text"])
