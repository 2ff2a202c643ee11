"""Served sources find what training's exact sources find."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import pytest_asyncio
import torch

from features.candidates import SOURCES
from features.entities import ItemEntities
from features.events import EventArrays, event_arrays
from features.heard import Heard, silence
from features.interests import interests
from features.moment import Moment, moment_after
from features.popularity import Counting
from features.release import Release, open_release
from features.user_view import view_user
from features.words import Said
from models.tower.serving import ServedTower
from models.tower.tower import load_tower
from tandem.v1 import info_service_pb2
from tandem.v1.candidate_pb2 import Source
from tandem.v1.event_pb2 import HistoryEvent
from tandem.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse
from tests.support.milvus import running_milvus_lite
from tests.support.retrieval import Retrieval, running_retrieval
from tests.support.trained import ITEMS, SETTINGS, train_places
from tests.support.triton import running_triton
from training.datasets.format import Dataset
from training.datasets.protos import items_of
from training.datasets.source import open_dataset
from training.examples import ExampleMaker
from training.friends import Friends, collect_friends
from training.interactions import Interactions, interactions_of
from training.sources import Found, find_candidates
from training.tower.users import inputs_of, user_vectors

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]
# Of a vector's greatest component; and of a standardised score.
VECTOR_TOLERANCE = 1e-4
PATIENCE_S = 60.0
# Whatever is found is a candidate: texts of one colour are alike, so Milvus orders them as it
# likes, and which of fewer candidates came last would hang on that.
UNCUT = replace(SETTINGS, candidate_count=ITEMS)
SCORE_TOLERANCE = 1e-3
EXACT = (
    Source.SOURCE_SEQUENCE,
    Source.SOURCE_HABIT,
    Source.SOURCE_NEARBY,
    Source.SOURCE_POPULAR,
    Source.SOURCE_GRAPH,
    Source.SOURCE_MEDIA,
    Source.SOURCE_FRIENDS,
)


def counting_here_and_now(_: ExampleMaker, __: object) -> Counting:
    return Counting(reach_km=2.0, hour=0.5)


def worth_following(entities: ItemEntities, _: Interactions, __: int) -> ItemEntities:
    return replace(entities, worth=np.ones(len(entities.relations), np.float32))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Place and hour count in what is popular, and people follow chains, whatever so small a data
    # set would teach.
    with (
        patch("training.fitting.learn_popularity", counting_here_and_now),
        patch("training.fitting.learn_worth", worth_following),
    ):
        return train_places(
            tmp_path_factory.mktemp("places"), settings=UNCUT, media=True, friends=True
        )


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    directory = tmp_path_factory.mktemp("parts")
    with running_milvus_lite(directory) as milvus, running_triton(directory) as triton:
        yield milvus.uri, triton.settings.target


@pytest.fixture(scope="module")
def release(trained: Path) -> Release:
    return open_release(trained)


@pytest.fixture(scope="module")
def dataset(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    rejects = tmp_path_factory.mktemp("rejects") / "rejects.csv"
    return open_dataset(str(trained.parent / "dataset"), rejects=rejects)


@pytest.fixture(scope="module")
def interactions(dataset: Dataset) -> Interactions:
    return interactions_of(dataset)


@pytest.fixture(scope="module")
def friends(dataset: Dataset, interactions: Interactions) -> Friends:
    return collect_friends(dataset, interactions)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(
    tmp_path_factory: pytest.TempPathFactory,
    parts: tuple[str, str],
    trained: Path,
    dataset: Dataset,
) -> AsyncIterator[Retrieval]:
    directory = tmp_path_factory.mktemp("service")
    async with running_retrieval(directory, *parts) as running:
        # Loaded first, so that the items' vectors are the release's.
        info = await running.load(trained)
        assert info.state == info_service_pb2.RELEASE_STATE_READY, info.detail
        await running.client.upsert_items(list(items_of(dataset)))
        await running.until_indexed(info.release_id)
        yield running


def request(release: Release, history: EventArrays, moment: Moment) -> RetrieveRequest:
    """Ask at a moment; where it is, the newest event tells, and the items tell of the events."""
    wanted = RetrieveRequest(release_id=release.release_id, candidate_count=UNCUT.candidate_count)
    wanted.context.request_time.FromMilliseconds(moment.time_ms)
    wanted.context.utc_offset.FromSeconds(moment.offset_min * 60)
    for place in range(len(history)):
        event = HistoryEvent(item_id=release.items.item_ids[history.rows[place]])
        event.action = int(history.actions[place])  # type: ignore[assignment]
        event.event_time.FromMilliseconds(int(history.times_ms[place]))
        event.utc_offset.FromSeconds(int(history.offsets_min[place]) * 60)
        wanted.user.history.append(event)
    return wanted


def found_by(source: Source.ValueType, response: RetrieveResponse) -> list[tuple[str, float]]:
    """Return items and standardised scores, best first."""
    hits = [
        (hit.rank, candidate.item_id, hit.score)
        for candidate in response.candidates
        for hit in candidate.hits
        if hit.source == source
    ]
    return [(item_id, score) for _, item_id, score in sorted(hits)]


async def test_user_vectors_and_hits_are_those_of_training(
    service: Retrieval, release: Release, interactions: Interactions, friends: Friends
) -> None:
    tables = release.tables
    vectors = torch.from_numpy(tables.tower.item_vectors + tables.tower.mean)
    served = ServedTower(load_tower(release.tower_directory), vectors).eval()
    for user in range(0, interactions.users, 4):
        events = interactions.of(user)
        place = 1 + user % (len(events) - 1)
        history = events[:place]
        moment = moment_after(history, int(events.times_ms[place]), int(events.offsets_min[place]))
        (expected,) = user_vectors(served, [inputs_of(served, history, moment)])
        event_vectors = tables.items.text_vectors[history.rows]
        quiet = silence(event_vectors.shape[1], len(tables.tags.names))
        view = view_user(tables, history, event_vectors, quiet, expected, moment)
        used = friends.items_before(user, moment.time_ms)
        view = replace(view, friends_items=used)
        depth, count = UNCUT.source_depth, UNCUT.candidate_count
        (exact,) = find_candidates(tables, [view], [""], True, depth, count)

        # Where time is short, sources search less.
        asked = request(release, history, moment)
        for row, weight in zip(used.items.tolist(), used.weights.tolist(), strict=True):
            asked.friends_items.add(item_id=release.items.item_ids[row], count=weight)
        response = await service.retrieval.Retrieve(asked, timeout=PATIENCE_S)
        actual = np.frombuffer(response.user_vector.float32_values, "<f4")
        atol = VECTOR_TOLERANCE * np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, atol=atol, rtol=0)
        for source in EXACT:
            if source == Source.SOURCE_FRIENDS and not len(used.items):
                continue
            expect_hits(source, response, exact, release)


@pytest.mark.parametrize("text", ["red things, please", "I like blue"])
async def test_words_find_what_they_find_in_training(
    service: Retrieval, release: Release, text: str
) -> None:
    tables, moment = release.tables, Moment(1_700_000_000_000, 60)
    nothing = event_arrays([], tables.items)
    asked = request(release, nothing, moment)
    asked.text = text
    response = await service.retrieval.Retrieve(asked, timeout=PATIENCE_S)
    assert response.interest_tags
    # The release's encoder is not the one that serves here: names are understood without vectors.
    vector = np.zeros(tables.items.text_vectors.shape[1], np.float32)
    understood = interests(Said(text), None, tables.tags)
    assert [tag.tag for tag in understood] == [tag.tag for tag in response.interest_tags]
    heard = Heard(vector, 1.0, tables.tags.asked(understood))
    view = view_user(tables, nothing, np.zeros((0, len(vector)), "f4"), heard, None, moment)
    depth, count = UNCUT.source_depth, UNCUT.candidate_count
    (exact,) = find_candidates(tables, [view], [text], True, depth, count)
    for source in (Source.SOURCE_LEXICAL, Source.SOURCE_TAGS):
        expect_hits(source, response, exact, release)


def expect_hits(
    source: Source.ValueType, response: RetrieveResponse, exact: Found, release: Release
) -> None:
    """Expect a source's hits to be those that were computed exactly."""
    ranks, scores = (part[:, SOURCES.index(source)] for part in (exact.ranks, exact.scores))
    wanted = sorted(
        (int(rank), release.items.item_ids[row], float(score))
        for rank, row, score in zip(ranks, exact.rows, scores, strict=True)
        if rank > 0
    )
    hits = found_by(source, response)
    assert hits
    assert [item_id for item_id, _ in hits] == [item_id for _, item_id, _ in wanted]
    np.testing.assert_allclose(
        [score for _, score in hits], [score for _, _, score in wanted], atol=SCORE_TOLERANCE
    )
