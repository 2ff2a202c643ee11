"""The ranking service's reasons: they are true, and name what weighs."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import numpy as np
import pytest

from features.candidates import WORD_FEATURES
from ranking_service.item_features import rank_input
from ranking_service.loaded_release import read_release
from ranking_service.pipeline import rank_now
from ranking_service.reasons import ReasonFinder
from ranking_service.settings import Settings
from serving.stages import Deadline
from tandem.v1 import candidate_pb2, stage_pb2
from tandem.v1.candidate_pb2 import Candidate, Hit, RankedItem, ReasonKind
from tandem.v1.common_pb2 import Vector
from tandem.v1.item_pb2 import Item, ItemOverride
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.user_pb2 import InterestTag
from tests.support.ranking import golden, load, rank, running_ranking
from tests.support.trained import WIDTH


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    async with running_ranking(Settings(threads=1)) as channel:
        yield channel


async def test_reasons_name_facts_of_the_request(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    reasons = []
    for request, _ in golden(release_directory):
        history = {event.item_id for event in request.user.history}
        for item in (await rank(channel, request)).items:
            reasons += item.reasons
            sources = {hit.source for hit in item.hits}
            for reason in item.reasons:
                if reason.kind == candidate_pb2.REASON_KIND_POPULAR:
                    assert candidate_pb2.SOURCE_POPULAR in sources
                if reason.kind == candidate_pb2.REASON_KIND_LIKE_HISTORY_ITEM:
                    assert reason.item_id in history
                assert reason.weight >= 0
    assert len({reason.kind for reason in reasons}) > 1


async def test_taking_a_named_history_item_away_costs_what_was_claimed(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    claims = 0
    for asked, _ in golden(release_directory):
        asked.reason_count = 5
        answer = await rank(channel, asked)
        for item in answer.items[:5]:
            falls = [influence.logit for influence in item.influences]
            assert falls == sorted(falls, reverse=True)
            assert len(falls) <= 3
            named = [r for r in item.reasons if r.kind == ReasonKind.REASON_KIND_LIKE_HISTORY_ITEM]
            assert [reason.item_id for reason in named] in (
                [],
                [i.item_id for i in item.influences[:1]],
            )
            for influence in item.influences:
                other = RankRequest()
                other.CopyFrom(asked)
                kept = [e for e in asked.user.history if e.item_id != influence.item_id]
                assert len(kept) < len(asked.user.history)
                del other.user.history[:]
                other.user.history.extend(kept)
                without = {i.item_id: logit_of(i) for i in (await rank(channel, other)).items}
                fall = logit_of(item) - without[item.item_id]
                # Rounding to half precision, in batches of other shapes.
                assert fall == pytest.approx(influence.logit, abs=0.06)
                claims += influence.logit > 0.1
        assert not any(item.influences for item in answer.items[5:])
    assert claims > 3, "some items weigh"


def logit_of(item: RankedItem) -> float:
    return sum(part.logit for part in item.contributions)


def test_words_that_an_item_has_are_named(release_directory: Path) -> None:
    spoken = next(asked for asked, _ in golden(release_directory) if asked.HasField("text_vector"))
    del spoken.interest_tags[:]
    spoken.interest_tags.extend(
        [InterestTag(tag="Blue", confidence=0.4), InterestTag(tag="things", confidence=1.0)]
    )
    new = Item(item_id="new", title="blue thing", categories=["blue"])
    vector = Vector(float32_values=np.ones(WIDTH, "<f4").tobytes())
    spoken.item_overrides.append(ItemOverride(item=new, text_vector=vector))
    spoken.candidates.append(Candidate(item_id="new"))
    for candidate in spoken.candidates:
        candidate.ClearField("hits")
        candidate.hits.append(Hit(source=candidate_pb2.SOURCE_TAGS, score=1.0, rank=1))
    loaded = read_release(str(release_directory))
    found = rank_input(loaded, spoken)
    finder = ReasonFinder(loaded, spoken, found)
    # Whatever training made of words, here they speak for every item.
    of_words = [name in WORD_FEATURES for name in loaded.ranker.config.features]
    parts = np.array(of_words, np.float32)
    for place, candidate in enumerate(found.candidates):
        (reason,) = finder.reasons(place, parts, [])
        assert reason.kind == ReasonKind.REASON_KIND_MATCHES_WORDS
        if candidate.item_id == "new":
            assert reason.matched_tags == ["Blue"]
        else:
            blue = int(candidate.item_id[1:]) % 2
            assert reason.matched_tags == (["things", "Blue"] if blue else ["things"])


async def test_without_time_the_nearest_item_is_named_and_the_stage_flagged(
    release_directory: Path,
) -> None:
    loaded = read_release(str(release_directory))
    asked = golden(release_directory)[-1][0]
    asked.reason_count = 5
    answer = rank_now(loaded, asked, 0.0, 4, Deadline(0.0))
    assert [skipped.stage for skipped in answer.skipped_stages] == [stage_pb2.STAGE_REASONS]
    assert not any(item.influences for item in answer.items)
    assert answer.items[0].reasons
    in_time = rank_now(loaded, asked, 0.0, 4, Deadline(60.0))
    assert not in_time.skipped_stages
    assert [item.item_id for item in in_time.items] == [item.item_id for item in answer.items]
