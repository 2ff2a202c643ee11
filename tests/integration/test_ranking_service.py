import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc
import grpc.aio
import numpy as np
import pytest
import torch
from google.protobuf.json_format import ParseDict

from features.candidates import WORD_FEATURES
from features.manifest import MANIFEST
from features.release import file_sha256
from ranking_service.item_features import rank_input
from ranking_service.loaded_release import read_release
from ranking_service.parts import SERVICES, ranking_parts
from ranking_service.pipeline import rank_now
from ranking_service.reasons import ReasonFinder
from ranking_service.settings import Settings
from serving.server import StartFailed, running_server
from serving.stages import Deadline
from tandem.v1 import (
    candidate_pb2,
    info_service_pb2,
    info_service_pb2_grpc,
    ranking_service_pb2_grpc,
    release_service_pb2_grpc,
    stage_pb2,
)
from tandem.v1.candidate_pb2 import Candidate, Hit, RankedItem, ReasonKind
from tandem.v1.common_pb2 import Vector
from tandem.v1.info_service_pb2 import GetInfoRequest, ReleaseInfo
from tandem.v1.item_pb2 import Item, ItemOverride
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tandem.v1.release_service_pb2 import LoadReleaseRequest, UnloadReleaseRequest
from tandem.v1.user_pb2 import InterestTag
from tandem.v1.variety_pb2 import Variety
from tandem_client.channel import open_aio_channel
from tandem_client.errors import reason_of
from tests.support.rankers import bert_config
from tests.support.trained import SETTINGS, WIDTH, train_two_tastes, write_small_encoder

VALUE_ALONE = Variety(diversity=0.0, keep_near_duplicates=True)


@pytest.fixture(scope="module")
def release_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_two_tastes(tmp_path_factory.mktemp("two_tastes"))


async def test_a_gpu_that_is_not_there_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StartFailed, match="TANDEM_RANKING_DEVICE is cuda, but torch finds no GPU"):
        async with running_server(
            "127.0.0.1",
            0,
            SERVICES,
            lambda server, health: ranking_parts(Settings(device="cuda"), server, health),
        ):
            pass


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


@pytest.fixture(scope="module")
def trees_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("trees")
    return train_two_tastes(directory, settings=replace(SETTINGS, parts="trees"))


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    settings = Settings(threads=1)
    async with running_server(
        "127.0.0.1", 0, SERVICES, lambda server, health: ranking_parts(settings, server, health)
    ) as port:
        channel = open_aio_channel(f"127.0.0.1:{port}")
        yield channel
        await channel.close()


async def load(channel: grpc.aio.Channel, directory: Path) -> ReleaseInfo:
    loader = release_service_pb2_grpc.ReleaseLoaderServiceStub(channel)
    await loader.LoadRelease(LoadReleaseRequest(release_uri=str(directory)))
    while True:
        info = await info_service_pb2_grpc.InfoServiceStub(channel).GetInfo(GetInfoRequest())
        if info.releases[0].state != info_service_pb2.RELEASE_STATE_LOADING:
            return info.releases[0]
        await asyncio.sleep(0.05)


async def rank(channel: grpc.aio.Channel, request: RankRequest) -> RankResponse:
    return await ranking_service_pb2_grpc.RankingServiceStub(channel).Rank(request)


def golden(directory: Path) -> list[tuple[RankRequest, dict[str, float]]]:
    lines = (directory / "golden.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [(ParseDict(e["request"], RankRequest()), e["engage_logits"]) for e in entries]


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


async def test_a_release_of_trees_is_served_as_it_was_trained(
    channel: grpc.aio.Channel, trees_directory: Path
) -> None:
    info = await load(channel, trees_directory)
    assert info.state == info_service_pb2.RELEASE_STATE_READY, info.detail
    logits = set()
    for request, expected in golden(trees_directory):
        answer = await rank(channel, request)
        assert len(answer.items) == len(expected)
        for item in answer.items:
            parts = {part.name: part.logit for part in item.contributions}
            assert "language_model" not in parts
            assert sum(parts.values()) == pytest.approx(expected[item.item_id], abs=1e-3)
            logits.add(round(sum(parts.values()), 3))
            assert 0 <= item.expected_rating <= 6
    assert len(logits) > 2, "the trees tell items apart"
    report = json.loads((trees_directory / MANIFEST).read_text())["metrics"]["leave_one_out"]
    assert report["tandem"]["ndcg@10"]["mean"] > 1.3 * report["popular"]["ndcg@10"]["mean"]


async def test_without_lightgbm_a_release_of_trees_says_what_is_missing(
    channel: grpc.aio.Channel, trees_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    info = await load(channel, trees_directory)
    assert info.state == info_service_pb2.RELEASE_STATE_FAILED
    assert "pip install lightgbm" in info.detail


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


async def test_the_list_is_ordered_by_value_and_as_long_as_asked(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    request.item_count = 5
    request.variety.MergeFrom(VALUE_ALONE)
    answer = await rank(channel, request)
    scores = [item.score for item in answer.items]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    for item in answer.items:
        chances = {p.action: p.probability for p in item.action_probabilities}
        assert len(chances) == 2
        assert all(0 < chance < 1 for chance in chances.values())


async def test_a_slate_keeps_to_its_limits_and_tells_what_they_moved(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    request.variety.MergeFrom(VALUE_ALONE)
    by_value = [item.item_id for item in (await rank(channel, request)).items]
    request.item_count = 6
    request.variety.category_max = 2
    # Of two colours one item is made a third category, and one is new since the release.
    other, newer = by_value[0], "brand-new"
    request.candidates.add(item_id=newer)
    vector = Vector(float32_values=np.full(WIDTH, WIDTH**-0.5, "<f4").tobytes())
    for item_id in (other, newer):
        item = Item(item_id=item_id, categories=["green"])
        request.item_overrides.append(ItemOverride(item=item, text_vector=vector))
    answer = await rank(channel, request)
    items = [item.item_id for item in answer.items]
    assert set(items[:6]) >= {other, newer}
    colours = [int(item_id[1:]) % 2 for item_id in items if item_id not in (other, newer)]
    assert sorted(colours) == [0, 0, 1, 1]
    request.item_count = 0
    request.variety.category_max = 0
    now_by_value = [item.item_id for item in (await rank(channel, request)).items]
    for place, item in enumerate(answer.items):
        assert item.selector_shift == now_by_value.index(item.item_id) - place


async def test_a_fresh_item_has_its_share_by_the_time_of_the_request(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    request.item_count = 4
    request.variety.MergeFrom(Variety(fresh_share=0.25))
    last = (await rank(channel, request)).items[-1].item_id
    worst = request.candidates[-1].item_id
    item = Item(item_id=worst, title="red thing")
    item.create_time.FromSeconds(request.context.request_time.seconds - 86_400)
    vector = Vector(float32_values=np.full(WIDTH, WIDTH**-0.5, "<f4").tobytes())
    request.item_overrides.append(ItemOverride(item=item, text_vector=vector))
    assert worst in {item.item_id for item in (await rank(channel, request)).items}
    assert last != worst
    request.variety.fresh_age.FromSeconds(3_600)
    assert worst not in {item.item_id for item in (await rank(channel, request)).items}


async def test_the_settings_diversity_holds_where_a_request_sets_none(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[-1][0]
    lists = []
    for diversity in (None, Settings().diversity, 1.0):
        if diversity is not None:
            request.variety.diversity = diversity
        lists.append([item.item_id for item in (await rank(channel, request)).items])
    assert lists[0] == lists[1] != lists[2]
    assert sorted(lists[0]) == sorted(lists[2])


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


async def test_a_release_that_is_not_loaded_is_a_version_mismatch(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    request = golden(release_directory)[0][0]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rank(channel, request)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(caught.value)[1] == {"release_id": request.release_id}


async def test_an_unloaded_release_is_gone(
    channel: grpc.aio.Channel, release_directory: Path
) -> None:
    info = await load(channel, release_directory)
    loader = release_service_pb2_grpc.ReleaseLoaderServiceStub(channel)
    assert (await loader.UnloadRelease(UnloadReleaseRequest(release_id=info.release_id))).unloaded
    with pytest.raises(grpc.aio.AioRpcError, match="FAILED_PRECONDITION"):
        await rank(channel, golden(release_directory)[0][0])


async def test_a_release_whose_scores_cannot_be_reproduced_is_refused(
    channel: grpc.aio.Channel, release_directory: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(release_directory, broken)
    lines = [json.loads(line) for line in (broken / "golden.jsonl").read_text().splitlines()]
    for name in lines[0]["engage_logits"]:
        lines[0]["engage_logits"][name] += 1.0
    (broken / "golden.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    manifest = json.loads((broken / MANIFEST).read_text())
    manifest["files"]["golden.jsonl"] = file_sha256(broken / "golden.jsonl")
    (broken / MANIFEST).write_text(json.dumps(manifest))
    info = await load(channel, broken)
    assert info.state == info_service_pb2.RELEASE_STATE_FAILED
    assert "cannot be reproduced" in info.detail


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"release_id": ""}, "release_id"),
        ({"item_count": -1}, "item_count"),
        ({"item_count": 1_000_000_000}, "item_count"),
        ({"candidates": []}, "candidates"),
        ({"text_vector": Vector(float32_values=b"123")}, "text_vector.float32_values"),
        ({"user_vector": Vector(float32_values=bytes(8))}, "user_vector.float32_values"),
        ({"variety": Variety(diversity=2.0)}, "variety.diversity"),
        ({"variety": Variety(category_max=501)}, "variety.category_max"),
    ],
)
async def test_bad_input_is_refused_by_field(
    channel: grpc.aio.Channel, release_directory: Path, change: dict[str, object], field: str
) -> None:
    await load(channel, release_directory)
    request = golden(release_directory)[0][0]
    for name in change:
        request.ClearField(name)  # type: ignore[arg-type]
    request.MergeFrom(RankRequest(**change))  # type: ignore[arg-type]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rank(channel, request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(caught.value)[1]["field"] == field
