"""The ranking service's scores: those of training, and what moves them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc.aio
import numpy as np
import pytest

from features.candidates import WORD_FEATURES
from ranking_service.settings import Settings
from tandem.v1 import info_service_pb2
from tandem.v1.candidate_pb2 import Candidate
from tandem.v1.common_pb2 import Vector
from tandem.v1.item_pb2 import Item, ItemOverride
from tandem.v1.ranking_service_pb2 import RankRequest
from tests.support.rankers import bert_config
from tests.support.ranking import golden, load, rank, running_ranking
from tests.support.trained import SETTINGS, WIDTH, train_two_tastes, write_small_encoder


@pytest.fixture(scope="module")
def text_release_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose language model reads candidates as text."""
    directory = tmp_path_factory.mktemp("text_mode")
    config = bert_config()
    config.initializer_range = 0.3  # weights so large that what is read shows in half precision
    language_model = write_small_encoder(directory / "language_model", config)
    settings = replace(
        SETTINGS,
        candidate_tokens=4,
        language_model=str(language_model),
        parts="language",
        tower_epochs=2,
    )
    return train_two_tastes(directory, settings=settings)


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    async with running_ranking(Settings(threads=1)) as channel:
        yield channel


@pytest.mark.parametrize("mode", ["release_directory", "text_release_directory"])
async def test_serving_reproduces_the_scores_of_training(
    channel: grpc.aio.Channel, mode: str, request: pytest.FixtureRequest
) -> None:
    directory = request.getfixturevalue(mode)
    info = await load(channel, directory)
    assert info.state == info_service_pb2.RELEASE_STATE_READY
    for asked, expected in golden(directory):
        answer = await rank(channel, asked)
        assert len(answer.items) == len(expected)
        for item in answer.items:
            logit = sum(part.logit for part in item.contributions)
            assert logit == pytest.approx(expected[item.item_id], abs=0.1)


async def test_the_dial_of_words_scales_what_they_alone_bring_about(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    spoken = [asked for asked, _ in golden(release_directory) if asked.HasField("text_vector")]
    assert spoken
    for asked in spoken:
        usual = await parts_of_words(channel, asked)
        asked.text_weight = 3.0
        strong = await parts_of_words(channel, asked)
        asked.text_weight = 0.0
        silent = await parts_of_words(channel, asked)
        assert any(of_words for of_words, _ in usual.values())
        for item_id, (of_words, whole) in usual.items():
            assert strong[item_id][0] == pytest.approx(3 * of_words, abs=1e-4)
            assert strong[item_id][1] == pytest.approx(whole + 2 * of_words, abs=1e-4)
            assert silent[item_id] == (0.0, pytest.approx(whole - of_words, abs=1e-4))


async def parts_of_words(
    channel: grpc.aio.Channel, asked: RankRequest
) -> dict[str, tuple[float, float]]:
    """Return by item what words alone bring about of its logit, and the logit."""
    answer = await rank(channel, asked)
    return {
        item.item_id: (
            sum(part.logit for part in item.contributions if part.name in WORD_FEATURES),
            sum(part.logit for part in item.contributions),
        )
        for item in answer.items
    }


async def test_an_item_newer_than_the_release_is_scored_by_its_text(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    request.candidates.extend([Candidate(item_id="brand-new"), Candidate(item_id="nobody-knows")])
    vector = np.full(WIDTH, WIDTH**-0.5, "<f4").tobytes()
    request.item_overrides.append(
        ItemOverride(item=Item(item_id="brand-new"), text_vector=Vector(float32_values=vector))
    )
    answer = await rank(channel, request)
    assert "brand-new" in {item.item_id for item in answer.items}
    assert list(answer.unscored_item_ids) == ["nobody-knows"]


async def test_in_text_mode_a_changed_text_is_read_at_once(
    channel: grpc.aio.Channel, text_release_directory: Path
) -> None:
    await load(channel, text_release_directory)
    request = golden(text_release_directory)[-1][0]
    changed = request.candidates[0].item_id
    vector = Vector(float32_values=np.full(WIDTH, WIDTH**-0.5, "<f4").tobytes())
    scores = []
    for title in ("red thing i", "blue best is"):
        item = Item(item_id=changed, title=title)
        del request.item_overrides[:]
        request.item_overrides.append(ItemOverride(item=item, text_vector=vector))
        answer = await rank(channel, request)
        scores.append({item.item_id: item.score for item in answer.items})
    before, after = scores
    assert before.pop(changed) != after.pop(changed)
    assert before == after


async def test_an_events_item_that_nobody_knows_does_no_harm(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    for event in request.user.history:
        event.item_id = "nobody-knows"
    assert len((await rank(channel, request)).items) == len(request.candidates)
