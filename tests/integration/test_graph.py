"""People follow directors whom only relations name: the release knows, and tells why."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict

from benchmarks.followed_directors import write_followed_directors
from features.manifest import MANIFEST
from features.release import open_release
from ranking_service.golden import replay
from ranking_service.loaded_release import LoadedRelease, read_release
from ranking_service.pipeline import rank_now
from serving.stages import Deadline
from tandem.v1.candidate_pb2 import Candidate, RankedItem, ReasonKind
from tandem.v1.common_pb2 import Vector
from tandem.v1.item_pb2 import Item, ItemOverride
from tandem.v1.ranking_service_pb2 import RankRequest, RankResponse
from tests.support.trained import SETTINGS, WIDTH, train_here

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("followed") / "dataset"
    return write_followed_directors(directory, users=80, directors=40, films=6, events=20)


@pytest.fixture(scope="module")
def directors(dataset: Path) -> dict[str, str]:
    with (dataset / "relations.csv").open() as file:
        return {
            row["head"]: row["tail"]
            for row in csv.DictReader(file)
            if row["relation"] == "director"
        }


@pytest.fixture(scope="module")
def loaded(dataset: Path) -> LoadedRelease:
    settings = replace(SETTINGS, tower_epochs=3, source_depth=40, candidate_count=60)
    return read_release(str(train_here(dataset, dataset.parent, settings=settings)))


def golden(loaded: LoadedRelease) -> list[RankRequest]:
    lines = (loaded.release.directory / "golden.jsonl").read_text().splitlines()
    return [ParseDict(json.loads(line)["request"], RankRequest()) for line in lines]


def rank(loaded: LoadedRelease, request: RankRequest) -> RankResponse:
    return rank_now(loaded, request, 0.0, 0, Deadline(60.0))


def shared(item: RankedItem) -> list[tuple[str, str, str]]:
    kind = ReasonKind.REASON_KIND_SHARED_ENTITY
    return [(r.item_id, r.relation, r.entity) for r in item.reasons if r.kind == kind]


def test_the_source_finds_what_others_do_not(loaded: LoadedRelease) -> None:
    report = json.loads((loaded.release.directory / MANIFEST).read_text())["metrics"]
    found = {
        name: system["recall@200"]["mean"]
        for name, system in report["leave_one_out"].items()
        if name.startswith("source:")
    }
    best_other = max(value for name, value in found.items() if name != "source:graph")
    assert found["source:graph"] > 1.5 * best_other


def test_serving_reads_what_training_read(loaded: LoadedRelease) -> None:
    assert open_release(loaded.release.directory).entities.useful
    replay(loaded)


def test_reasons_name_a_director_of_both_items(
    loaded: LoadedRelease, directors: dict[str, str]
) -> None:
    named = 0
    for request in golden(loaded):
        history = {event.item_id for event in request.user.history}
        for item in rank(loaded, request).items:
            for liked, relation, entity in shared(item):
                assert liked in history - {item.item_id}
                if relation == "director":
                    assert directors[liked] == directors[item.item_id] == entity
                    named += 1
    assert named > 3


def test_a_new_film_is_known_by_its_director(
    loaded: LoadedRelease, directors: dict[str, str]
) -> None:
    request = next(asked for asked in golden(loaded) if len(asked.user.history) > 2)
    liked = request.user.history[-1].item_id
    vector = Vector(float32_values=np.zeros(WIDTH, "<f4").tobytes())
    for name, director in (("same", directors[liked]), ("other", "Nobody")):
        item = Item(item_id=name, title="New")
        item.attributes["director"].string_value = director
        request.item_overrides.append(ItemOverride(item=item, text_vector=vector))
        request.candidates.append(Candidate(item_id=name))
    request.log_features = True
    answer = rank(loaded, request)
    column = list(answer.features.names).index("graph_affinity")
    read = {
        item.item_id: np.frombuffer(vector.float32_values, "<f4")[column]
        for item, vector in zip(answer.items, answer.features.items, strict=True)
    }
    assert read["same"] > 0
    assert read["other"] == 0
