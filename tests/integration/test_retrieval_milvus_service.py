"""The retrieval service on real Milvus servers and the real text encoder."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import numpy as np
import pytest
import pytest_asyncio

from features.ids import item_hashes
from features.item_text import item_text
from retrieval_service.index.milvus import Milvus
from serving.text_encoder import TextEncoder
from tandem.v1 import (
    candidate_pb2,
    event_pb2,
    filter_pb2,
    info_service_pb2,
    stage_pb2,
)
from tandem.v1.candidate_pb2 import Candidate
from tandem.v1.event_pb2 import HistoryEvent
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.release_service_pb2 import LoadReleaseRequest, UnloadReleaseRequest
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tandem.v1.user_pb2 import InterestTag, SeenItems, UserProfile, UserState
from tests.support.milvus import running_milvus_lite
from tests.support.retrieval import Retrieval, catalogue_items, running_retrieval, write_release
from tests.support.triton import running_triton

ITEMS = catalogue_items()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=["lite", "server"])
def milvus_uri(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.param == "lite":
        with running_milvus_lite(tmp_path_factory.mktemp("milvus")) as server:
            yield server.uri
    else:
        yield request.getfixturevalue("milvus_server")


@pytest.fixture(scope="module")
def triton_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_triton(tmp_path_factory.mktemp("triton")) as triton:
        yield triton.settings.target


@pytest.fixture(scope="module")
def write(triton_target: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes releases of the catalogue's items, encoded by the real encoder."""

    async def encode() -> tuple[str, np.ndarray]:
        encoder = TextEncoder(triton_target)
        vectors, _ = await encoder.encode([item_text(item) for item in ITEMS], timeout=30)
        version = await encoder.version()
        await encoder.close()
        return version, vectors

    version, vectors = asyncio.run(encode())
    directory = tmp_path_factory.mktemp("releases")

    def write(name: str, encoder_version: str = version) -> Path:
        return write_release(
            directory / name, name, ITEMS, vectors, encoder_version=encoder_version
        )

    return write


@pytest.fixture(scope="module")
def release(write: Callable[..., Path], milvus_uri: str) -> Path:
    return write(f"topics-{uuid.uuid4().hex[:8]}")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(
    tmp_path_factory: pytest.TempPathFactory, milvus_uri: str, triton_target: str, release: Path
) -> AsyncIterator[Retrieval]:
    directory = tmp_path_factory.mktemp("service")
    async with running_retrieval(directory, milvus_uri, triton_target) as running:
        await running.client.upsert_items(ITEMS)
        info = await running.load(release)
        assert info.state == info_service_pb2.RELEASE_STATE_READY, info.detail
        yield running


@asynccontextmanager
async def added(service: Retrieval, *items: Item) -> AsyncIterator[None]:
    """Add items to the catalogue for a while."""
    await service.client.upsert_items(items)
    try:
        yield
    finally:
        await service.client.delete_items([item.item_id for item in items])


def liked(*item_ids: str) -> UserState:
    history = []
    for place, item_id in enumerate(item_ids):
        event = HistoryEvent(item_id=item_id, action=event_pb2.ACTION_LIKE)
        event.event_time.FromSeconds(1_700_000_000 + place)
        history.append(event)
    seen = SeenItems(item_hashes=item_hashes(item_ids).tolist())
    return UserState(user_id="u", history=history, seen=seen)


def topic_shares(candidates: list[Candidate], count: int) -> dict[str, float]:
    topics = [candidate.item_id.split("-")[0] for candidate in candidates[:count]]
    return {topic: topics.count(topic) / len(topics) for topic in set(topics)}


def found_by(response: RetrieveResponse, source: int, best: int = 1_000) -> list[Candidate]:
    """Return the candidates among a source's best."""
    return [
        candidate
        for candidate in response.candidates
        if any(hit.source == source and hit.rank <= best for hit in candidate.hits)
    ]


def sources_of(response: RetrieveResponse) -> set[int]:
    return {hit.source for candidate in response.candidates for hit in candidate.hits}


def skipped(response: RetrieveResponse) -> dict[int, int]:
    return {stage.stage: stage.cause for stage in response.skipped_stages}


async def test_a_user_with_history_gets_candidates_from_every_source(
    service: Retrieval, release: Path
) -> None:
    user = liked("space-03", "space-07", "space-11")
    request = RetrieveRequest(release_id=release.name, user=user, candidate_count=20)
    response = await service.retrieval.Retrieve(request)
    assert len(response.candidates) == 20
    assert sources_of(response) == {
        candidate_pb2.SOURCE_SEMANTIC,
        candidate_pb2.SOURCE_CF,
        candidate_pb2.SOURCE_SIMILAR,
        candidate_pb2.SOURCE_POPULAR,
        candidate_pb2.SOURCE_SEQUENCE,
    }
    assert topic_shares(list(response.candidates), 10)["space"] > 0.8
    ids = [candidate.item_id for candidate in response.candidates]
    assert len(set(ids)) == len(ids)
    assert not {"space-03", "space-07", "space-11"} & set(ids)
    assert not response.skipped_stages
    assert {timing.stage for timing in response.stage_timings} >= {
        stage_pb2.STAGE_SOURCE_SEMANTIC,
        stage_pb2.STAGE_SOURCE_POPULAR,
    }


async def test_the_sequence_points_to_what_is_like_the_last_item_and_its_vector_comes_back(
    service: Retrieval, release: Path
) -> None:
    user = liked("space-03", "garden-07", "kitchen-11")
    request = RetrieveRequest(release_id=release.name, user=user, candidate_count=60)
    response = await service.retrieval.Retrieve(request)
    # This release's tower wants more of what was last.
    sequence = found_by(response, candidate_pb2.SOURCE_SEQUENCE, best=15)
    assert topic_shares(sequence, 15) == {"kitchen": 1.0}
    vector = np.frombuffer(response.user_vector.float32_values, "<f4")
    assert vector.shape == (8,)
    assert vector @ vector == pytest.approx(8.0, rel=1e-3)


async def test_words_find_items_by_their_meaning_and_their_vector_comes_back(
    service: Retrieval, release: Path
) -> None:
    request = RetrieveRequest(release_id=release.name, text="spaceships flying to other planets")
    response = await service.retrieval.Retrieve(request)
    semantic = found_by(response, candidate_pb2.SOURCE_SEMANTIC, best=8)
    assert topic_shares(semantic, 8)["space"] > 0.8
    vector = np.frombuffer(response.text_vector.float32_values, "<f4")
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-3)
    assert skipped(response) == {
        stage_pb2.STAGE_SOURCE_CF: stage_pb2.SKIP_CAUSE_NO_INPUT,
        stage_pb2.STAGE_SOURCE_SIMILAR: stage_pb2.SKIP_CAUSE_NO_INPUT,
        stage_pb2.STAGE_SOURCE_SEQUENCE: stage_pb2.SKIP_CAUSE_NO_INPUT,
    }


async def test_a_profile_stands_in_where_the_request_has_no_words(
    service: Retrieval, release: Path
) -> None:
    profile = UserProfile(
        text="I like to grow flowers",
        interest_tags=[InterestTag(tag="orchards"), InterestTag(tag="rockets", confidence=-1)],
    )
    request = RetrieveRequest(release_id=release.name, user=UserState(profile=profile))
    response = await service.retrieval.Retrieve(request)
    best = found_by(response, candidate_pb2.SOURCE_SEMANTIC, best=5)
    assert topic_shares(best, 5)["garden"] > 0.5


async def test_an_unknown_user_without_words_gets_what_is_popular(
    service: Retrieval, release: Path
) -> None:
    response = await service.retrieval.Retrieve(
        RetrieveRequest(release_id=release.name, candidate_count=5)
    )
    assert {c.item_id[-2:] for c in response.candidates} <= {"00", "01"}
    assert sources_of(response) == {candidate_pb2.SOURCE_POPULAR}
    assert set(skipped(response).values()) == {stage_pb2.SKIP_CAUSE_NO_INPUT}


async def test_neighbours_of_the_seed_item_are_found_but_never_the_seed_itself(
    service: Retrieval, release: Path
) -> None:
    request = RetrieveRequest(release_id=release.name)
    request.context.seed_item_id = "kitchen-04"
    response = await service.retrieval.Retrieve(request)
    similar = found_by(response, candidate_pb2.SOURCE_SIMILAR)
    assert len(similar) == 15
    assert topic_shares(similar, 15) == {"kitchen": 1.0}
    assert "kitchen-04" not in {c.item_id for c in response.candidates}


async def test_seen_items_stay_out_even_if_they_are_nearly_all(
    service: Retrieval, release: Path
) -> None:
    unseen = {"garden-20", "space-21", "kitchen-22"}
    seen = [item.item_id for item in ITEMS if item.item_id not in unseen]
    user = liked("garden-03")
    user.seen.item_hashes[:] = item_hashes(seen).tolist()
    response = await service.retrieval.Retrieve(
        RetrieveRequest(release_id=release.name, user=user, text="flowers", candidate_count=10)
    )
    assert {c.item_id for c in response.candidates} == unseen
    semantic = [
        h for c in response.candidates for h in c.hits if h.source == candidate_pb2.SOURCE_SEMANTIC
    ]
    assert sorted(h.rank for h in semantic) == [1, 2, 3]


async def test_filters_and_exclusions_hold_for_every_candidate(
    service: Retrieval, release: Path
) -> None:
    cheap = Condition(
        attribute="price",
        operator=filter_pb2.OPERATOR_LESS,
        values=[AttributeValue(double_value=10.0)],
    )
    topic = Condition(
        attribute="categories",
        operator=filter_pb2.OPERATOR_EQUAL,
        values=[AttributeValue(string_value="kitchen")],
    )
    both = Filter()
    both.all_of.filters.extend([Filter(condition=cheap), Filter(condition=topic)])
    response = await service.retrieval.Retrieve(
        RetrieveRequest(
            release_id=release.name,
            user=liked("space-03", "kitchen-12"),
            text="a good dinner",
            filter=both,
            excluded_item_ids=["kitchen-02"],
        )
    )
    found = {c.item_id for c in response.candidates}
    assert found == {f"kitchen-{n:02}" for n in range(10) if n != 2}
    assert candidate_pb2.SOURCE_CF in sources_of(response)


async def test_a_deleted_or_unavailable_item_is_gone_at_once_and_comes_back_when_written_again(
    service: Retrieval, release: Path
) -> None:
    request = RetrieveRequest(release_id=release.name, user=liked("space-03"), candidate_count=70)
    off = Item()
    off.CopyFrom(ITEMS[1])
    off.unavailable = True
    await service.client.upsert_items([off])
    await service.client.delete_items([ITEMS[2].item_id])
    found = {c.item_id for c in (await service.retrieval.Retrieve(request)).candidates}
    assert not {ITEMS[1].item_id, ITEMS[2].item_id} & found
    await service.client.upsert_items([ITEMS[1], ITEMS[2]])
    await service.until_indexed(release.name)
    found = {c.item_id for c in (await service.retrieval.Retrieve(request)).candidates}
    assert {ITEMS[1].item_id, ITEMS[2].item_id} <= found


async def test_a_new_item_is_found_by_its_meaning_and_travels_as_an_override(
    service: Retrieval, release: Path
) -> None:
    new = Item(
        item_id="new-1", title="Telescope: a night under the milky way", categories=["space"]
    )
    request = RetrieveRequest(release_id=release.name, text="watching stars with a telescope")
    async with added(service, new), asyncio.timeout(10):
        await service.until_indexed(release.name)
        response = RetrieveResponse()
        while "new-1" not in {
            c.item_id for c in found_by(response, candidate_pb2.SOURCE_SEMANTIC, best=1)
        }:
            response = await service.retrieval.Retrieve(request)
            await asyncio.sleep(0.1)  # Milvus shows what was written within seconds
    (override,) = response.item_overrides
    assert override.item.title == new.title
    vector = np.frombuffer(override.text_vector.float32_values, "<f4")
    words = np.frombuffer(response.text_vector.float32_values, "<f4")
    assert vector @ words > 0.4


async def test_history_of_items_that_the_release_does_not_know_still_counts(
    service: Retrieval, release: Path
) -> None:
    new = Item(item_id="new-2", title="Sourdough bread from the oven")
    async with added(service, new):
        response = await service.retrieval.Retrieve(
            RetrieveRequest(release_id=release.name, user=liked("new-2"), candidate_count=20)
        )
    semantic = found_by(response, candidate_pb2.SOURCE_SEMANTIC, best=8)
    assert topic_shares(semantic, 8)["kitchen"] > 0.8
    assert candidate_pb2.SOURCE_SIMILAR in sources_of(response)
    assert "new-2" in {override.item.item_id for override in response.item_overrides}
    assert skipped(response)[stage_pb2.STAGE_SOURCE_CF] == stage_pb2.SKIP_CAUSE_NO_INPUT


async def test_a_release_that_is_not_loaded_is_a_version_mismatch(service: Retrieval) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.retrieval.Retrieve(RetrieveRequest(release_id="another"))
    assert raised.value.code() == grpc.StatusCode.FAILED_PRECONDITION


async def test_a_lost_collection_is_made_again_from_the_catalogue(
    service: Retrieval, release: Path, milvus_uri: str
) -> None:
    milvus = Milvus(milvus_uri)
    stem = release.name.replace("-", "_")
    lost = [name for name in await milvus.collections() if stem in name]
    assert len(lost) == 3
    for name in lost:
        await milvus.drop(name)
    request = RetrieveRequest(release_id=release.name, user=liked("space-03"), candidate_count=5)
    async with asyncio.timeout(30):
        wanted = {
            candidate_pb2.SOURCE_SEMANTIC,
            candidate_pb2.SOURCE_CF,
            candidate_pb2.SOURCE_SEQUENCE,
        }
        while not sources_of(await service.retrieval.Retrieve(request)) >= wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert set(lost) <= await milvus.collections()
    await milvus.close()


async def test_two_releases_serve_side_by_side_and_unloading_one_drops_its_collections(
    service: Retrieval, release: Path, milvus_uri: str, write: Callable[..., Path]
) -> None:
    second = write(f"second-{uuid.uuid4().hex[:8]}")
    info = await service.load(second)
    assert (info.state, info.index_lag) == (info_service_pb2.RELEASE_STATE_READY, 0)
    for name in (release.name, second.name):
        answer = await service.retrieval.Retrieve(RetrieveRequest(release_id=name))
        assert answer.release_id == name
    milvus = Milvus(milvus_uri)
    stem = second.name.replace("-", "_")
    assert len([name for name in await milvus.collections() if stem in name]) == 3
    unload = UnloadReleaseRequest(release_id=second.name)
    assert (await service.loader.UnloadRelease(unload)).unloaded
    assert not [name for name in await milvus.collections() if stem in name]
    assert not (await service.loader.UnloadRelease(unload)).unloaded
    with pytest.raises(grpc.aio.AioRpcError):
        await service.retrieval.Retrieve(RetrieveRequest(release_id=second.name))
    await service.retrieval.Retrieve(RetrieveRequest(release_id=release.name))
    await milvus.close()


async def test_words_are_skipped_where_the_release_was_made_with_another_encoder(
    service: Retrieval, write: Callable[..., Path]
) -> None:
    other = write(f"other-{uuid.uuid4().hex[:8]}", "another-encoder")
    await service.load(other)
    response = await service.retrieval.Retrieve(
        RetrieveRequest(release_id=other.name, text="flowers", user=liked("space-03"))
    )
    assert skipped(response) == {stage_pb2.STAGE_ENCODE: stage_pb2.SKIP_CAUSE_VERSION_MISMATCH}
    # What rests on vectors of the release's own encoder goes on.
    assert found_by(response, candidate_pb2.SOURCE_SEMANTIC)
    await service.loader.UnloadRelease(UnloadReleaseRequest(release_id=other.name))


async def test_a_release_whose_hashes_do_not_match_fails_and_says_why(
    service: Retrieval, release: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    bad = write(f"bad-{uuid.uuid4().hex[:8]}")
    (bad / "fallback.json").write_text("[]")
    info = await service.load(bad)
    assert info.state == info_service_pb2.RELEASE_STATE_FAILED
    assert "fallback.json does not match its hash" in info.detail
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.loader.LoadRelease(LoadReleaseRequest(release_uri=str(tmp_path / "none")))
    assert raised.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert (await service.release(release.name)).state == info_service_pb2.RELEASE_STATE_READY
