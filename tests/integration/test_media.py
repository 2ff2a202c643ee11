"""Vectors that items bring along, from the catalogue to the ranker's features."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio

from features.candidates import FEATURES
from features.item_vectors import unit_vectors
from features.release import Release, open_release
from models.ranker.ranker import load_ranker
from models.tower.tower import load_tower
from ranking_service.golden import TOLERANCE, replay
from ranking_service.item_features import rank_input
from ranking_service.loaded_release import read_release
from ranking_service.validation import check_vectors
from serving.errors import InvalidField
from tandem.v1 import info_service_pb2
from tandem.v1.candidate_pb2 import Source
from tandem.v1.event_pb2 import Action, HistoryEvent
from tandem.v1.item_pb2 import Item, ItemOverride
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tests.support.milvus import running_milvus_lite
from tests.support.retrieval import Retrieval, running_retrieval
from tests.support.trained import ITEMS, train_places
from tests.support.triton import running_triton
from training.datasets.protos import items_of
from training.datasets.source import open_dataset

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]
# Their images are alike, and none of them has a sound.
LIKED = ["i21", "i25", "i29"]
ALIKE = {f"i{number}" for number in range(1, ITEMS, 4)}
MEDIA = [FEATURES.index(name) for name in ("media_score", "media_rank", "media_like_history")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_places(tmp_path_factory.mktemp("places"), media=True)


@pytest.fixture(scope="module")
def release(trained: Path) -> Release:
    return open_release(trained)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    directory = tmp_path_factory.mktemp("parts")
    with running_milvus_lite(directory) as milvus, running_triton(directory) as triton:
        yield milvus.uri, triton.settings.target


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(
    tmp_path_factory: pytest.TempPathFactory, parts: tuple[str, str], trained: Path
) -> AsyncIterator[Retrieval]:
    directory = tmp_path_factory.mktemp("service")
    dataset = open_dataset(str(trained.parent / "dataset"), rejects=None)
    async with running_retrieval(directory, *parts) as running:
        info = await running.load(trained)
        assert info.state == info_service_pb2.RELEASE_STATE_READY, info.detail
        await running.client.upsert_items(list(items_of(dataset)))
        await running.until_indexed(info.release_id)
        yield running


def request(release: Release, liked: list[str], seed: str = "") -> RetrieveRequest:
    wanted = RetrieveRequest(release_id=release.release_id, candidate_count=ITEMS + 5)
    wanted.context.request_time.FromSeconds(1_700_000_000)
    wanted.context.seed_item_id = seed
    for item_id in liked:
        event = HistoryEvent(item_id=item_id, action=Action.ACTION_LIKE)
        event.event_time.FromSeconds(1_600_000_000)
        wanted.user.history.append(event)
    return wanted


def found(response: RetrieveResponse) -> list[str]:
    """Return what the media source found, best first."""
    hits = [
        (hit.rank, candidate.item_id)
        for candidate in response.candidates
        for hit in candidate.hits
        if hit.source == Source.SOURCE_MEDIA
    ]
    return [item_id for _, item_id in sorted(hits)]


def item(item_id: str, **vectors: list[float]) -> Item:
    new = Item(item_id=item_id)
    for space, vector in vectors.items():
        new.vectors[space].float32_values = np.array(vector, "<f4").tobytes()
    return new


async def upsert(service: Retrieval, release: Release, *items: Item) -> None:
    await service.client.upsert_items(list(items))
    await service.until_indexed(release.release_id)


async def retrieve_until(
    service: Retrieval, wanted: RetrieveRequest, item_id: str
) -> RetrieveResponse:
    """Ask until an item is found: Milvus shows what was written after a moment."""
    for _ in range(50):
        response = await service.retrieval.Retrieve(wanted)
        if item_id in found(response):
            return response
    raise AssertionError(f"{item_id} is not found by {found(response)}")


async def test_weights_of_media_exist_where_the_release_has_spaces(release: Release) -> None:
    assert release.manifest["spaces"] == {"image": 4, "sound": 6}
    ranker, tower = load_ranker(release.ranker_directory), load_tower(release.tower_directory)
    assert ranker.tokens.media is not None
    assert ranker.tokens.media.weight.shape[1] == 10
    assert float(ranker.tokens.media.weight.detach().abs().sum()) > 0
    assert tower.items.media is not None
    assert release.tower.projection.shape[0] == release.items.text_vectors.shape[1] + 10


async def test_ranking_computes_what_training_did(trained: Path) -> None:
    assert replay(read_release(str(trained))) < TOLERANCE


async def test_a_seed_item_finds_what_looks_like_it(service: Retrieval, release: Release) -> None:
    alike = found(await service.retrieval.Retrieve(request(release, [], seed="i38")))
    assert "i38" not in alike
    # i38 has no sound, and the image of the others of its kind.
    assert {int(item_id[1:]) % 4 for item_id in alike[:5]} == {2}


async def test_a_new_item_is_found_and_ranked_by_the_vectors_it_brings(
    service: Retrieval, release: Release, trained: Path
) -> None:
    await upsert(service, release, item("new", image=[0, 8, 0, 0]))
    wanted = request(release, LIKED)
    response = await retrieve_until(service, wanted, "new")
    assert set(found(response)[: len(ALIKE) + 1]) == {*ALIKE, "new"}
    overrides = {one.item.item_id: one.item for one in response.item_overrides}
    # What the release has already does not travel.
    assert not {item_id for item_id, one in overrides.items() if one.vectors} - {"new"}
    np.testing.assert_allclose(
        np.frombuffer(overrides["new"].vectors["image"].float32_values, "<f4"), [0, 1, 0, 0]
    )
    loaded = read_release(str(trained))
    ranked = rank_input(
        loaded,
        RankRequest(
            release_id=release.release_id,
            user=wanted.user,
            context=wanted.context,
            candidates=response.candidates,
            item_overrides=response.item_overrides,
        ),
    )
    place = [candidate.item_id for candidate in ranked.candidates].index("new")
    score, rank, like = ranked.packed.candidates.features[place][MEDIA]
    assert score > 0
    assert rank > 0
    assert like > 0.8
    image = np.asarray(ranked.packed.candidates.vectors)[place, -10:]
    np.testing.assert_allclose(image, [0, 1, 0, 0, *[0] * 6])


async def test_the_ranker_refuses_vectors_of_another_width(release: Release, trained: Path) -> None:
    width = release.items.text_vectors.shape[1]
    override = ItemOverride(item=item("new", image=[1, 2, 3]))
    override.text_vector.float32_values = bytes(4 * width)
    wanted = RankRequest(release_id=release.release_id, item_overrides=[override])
    with pytest.raises(InvalidField, match="must have 16 bytes, has 12") as refused:
        check_vectors(wanted, read_release(str(trained)).tables)
    assert "item.vectors[image]" in refused.value.field


async def test_an_item_that_looks_otherwise_now_is_found_by_how_it_looks_now(
    service: Retrieval, release: Release
) -> None:
    row = release.items.row("i30")
    assert release.items.media.spaces["image"][row].argmax() == 2
    await upsert(service, release, item("i30", image=[0, 1, 0, 0]))
    for _ in range(50):
        response = await service.retrieval.Retrieve(request(release, LIKED))
        if "i30" in found(response)[: len(ALIKE) + 2]:
            break
    overrides = {one.item.item_id: one.item for one in response.item_overrides}
    assert "i30" in found(response)[: len(ALIKE) + 2]
    assert list(overrides["i30"].vectors) == ["image"]


async def test_callers_are_not_sent_vectors_and_the_same_again_changes_nothing(
    service: Retrieval, release: Release
) -> None:
    first = await service.client.upsert_items([item("same", image=[1, 2, 3, 4])])
    again = await service.client.upsert_items([item("same", image=[2, 4, 6, 8])])
    other = await service.client.upsert_items([item("same", image=[1, 2, 3, 5])])
    counts = [done.written_count for done in (first, again, other)]
    assert counts == [1, 0, 1]
    (got,) = (await service.client.get_items(["same"])).items
    assert not got.vectors


@pytest.mark.parametrize(
    ("vectors", "problem"),
    [
        ({"image": [1.0, 2.0]}, "must have 4 numbers"),
        ({"image": [1.0] * 5}, "must have 4 numbers"),
        ({"image": [0.0] * 4}, "not all 0"),
        ({"image": [1.0, float("nan"), 0.0, 0.0]}, "finite"),
        ({"image": [1.0]}, "2 to 4,096 numbers"),
        ({"tower": [1.0] * 4}, "none of cf, text, tower"),
        ({"Im age": [1.0] * 4}, "must match"),
        ({f"s{n}": [1.0] * 4 for n in range(9)}, "at most 8"),
    ],
)
async def test_vectors_that_cannot_be_used_are_refused(
    service: Retrieval, vectors: dict[str, list[float]], problem: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        await service.client.upsert_items([item("bad", **vectors)])
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert problem in str(refused.value.details())


async def test_what_an_item_is_like_is_the_greatest_over_its_spaces(release: Release) -> None:
    media = release.items.media
    vectors = np.zeros((3, 10), np.float32)
    vectors[0, :4] = vectors[1, :4] = unit_vectors(np.array([1.0, 1.0, 0.0, 0.0]))
    vectors[1, 4:] = unit_vectors(np.ones(6))
    mean = np.zeros(10, np.float32)
    mean[:4], mean[4:] = [-1, 0, 0, 0], unit_vectors(np.ones(6))
    np.testing.assert_allclose(media.likeness(vectors, mean), [-(0.5**0.5), 1, 0], atol=1e-3)
    assert not media.likeness(vectors, np.zeros(10, np.float32)).any()
