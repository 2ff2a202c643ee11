"""A safety policy at a running retrieval service, with a real index."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from features.item_text import item_text
from serving.server import StartFailed
from tandem.v1 import candidate_pb2, info_service_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import ACTION_LIKE, HistoryEvent
from tandem.v1.item_pb2 import Item
from tandem.v1.retrieval_service_pb2 import RetrieveRequest
from tandem.v1.user_pb2 import UserProfile, UserState
from tandem_cli.stack.milvus import MilvusLite
from tandem_cli.stack.ports import free_port
from tests.support.encoder import fake_vector
from tests.support.retrieval import Retrieval, catalogue_items, running_retrieval, write_release

ITEMS = catalogue_items()
for number, item in enumerate(ITEMS):
    if number % 4 == 0:
        item.attributes["min_age"].int64_value = 18
POLICY = """
[block]
categories = ["Garden"]
words = ["the rocket"]

[age]
attributes = ["min_age"]

[age.categories]
kitchen = 12

[[override]]
item_id = "garden-01"
decision = "allow"
reviewer = "j.doe"
date = 2026-03-01
reason = "About vegetables."

[[override]]
item_id = "space-07"
decision = "block"
reviewer = "j.doe"
date = 2026-03-01
reason = "Complaints."
"""
IN_2026 = RequestContext(request_time=Timestamp(seconds=1_780_000_000))


def allowed_at(age: int) -> set[str]:
    """Return what the policy leaves, worked out from the items as they are made."""
    blocked = {i.item_id for i in ITEMS if "garden" in i.categories or "rocket" in i.description}
    blocked = blocked - {"garden-01"} | {"space-07"}
    least = {
        i.item_id: max(
            i.attributes["min_age"].int64_value if "min_age" in i.attributes else 0,
            12 if "kitchen" in i.categories else 0,
        )
        for i in ITEMS
    }
    return {item_id for item_id in least.keys() - blocked if least[item_id] <= age}


@pytest.fixture
async def milvus(tmp_path: Path) -> AsyncIterator[MilvusLite]:
    server = MilvusLite(tmp_path / "milvus", free_port(), tmp_path / "milvus.log")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture
async def service(tmp_path: Path, milvus: MilvusLite, policy: Path) -> AsyncIterator[Retrieval]:
    vectors = np.stack([fake_vector(item_text(item)) for item in ITEMS])
    release = write_release(
        tmp_path / "topics", "topics", ITEMS, vectors, encoder_version="fake-1", exported=False
    )
    nobody = f"127.0.0.1:{free_port()}"
    settings = {
        "policy_file": str(policy),
        "policy_interval_s": 0.05,
        "audit_file": str(tmp_path / "audit.jsonl"),
    }
    async with running_retrieval(tmp_path, milvus.uri, nobody, **settings) as running:
        info = await running.load(release)
        assert info.state == info_service_pb2.RELEASE_STATE_READY, info.detail
        await running.client.upsert_items(ITEMS)
        await running.until_indexed("topics")
        yield running


def user(birth_year: int = 0, liked: str = "") -> UserState:
    state = UserState(user_id="anna", profile=UserProfile(birth_year=birth_year))
    state.read_time.GetCurrentTime()
    if liked:
        state.history.append(HistoryEvent(item_id=liked, action=ACTION_LIKE))
    return state


async def found(service: Retrieval, user: UserState) -> set[str]:
    # So many that each source may give the whole catalogue.
    request = RetrieveRequest(release_id="topics", user=user, context=IN_2026, candidate_count=800)
    response = await service.retrieval.Retrieve(request)
    return {candidate.item_id for candidate in response.candidates}


async def eventually(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not await holds():  # type: ignore[misc]  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("birth_year", "age"), [(0, 0), (2013, 12), (1990, 35)])
async def test_candidates_are_what_the_policy_leaves_to_an_age(
    service: Retrieval, birth_year: int, age: int
) -> None:
    # Popular walks through everything that there is.
    assert await found(service, user(birth_year)) == allowed_at(age)


async def test_places_of_blocked_items_are_taken_by_others_in_every_source(
    service: Retrieval,
) -> None:
    # Who likes a blocked topic: the nearest of each source are blocked.
    request = RetrieveRequest(
        release_id="topics", user=user(1990, "garden-05"), context=IN_2026, candidate_count=12
    )
    response = await service.retrieval.Retrieve(request)
    ids = {candidate.item_id for candidate in response.candidates}
    assert len(ids) == 12
    assert ids <= allowed_at(35)
    sources = {hit.source for candidate in response.candidates for hit in candidate.hits}
    assert {candidate_pb2.SOURCE_SEMANTIC, candidate_pb2.SOURCE_CF} <= sources


async def test_an_item_that_has_changed_is_judged_again(service: Retrieval) -> None:
    changed = next(item for item in ITEMS if item.item_id == "space-09")
    item = Item()
    item.CopyFrom(changed)
    assert "space-09" in await found(service, user())
    item.attributes["min_age"].int64_value = 40
    await service.client.upsert_items([item])
    assert "space-09" not in await found(service, user(1990))
    await service.client.upsert_items([changed])
    assert "space-09" in await found(service, user())


async def test_a_changed_policy_is_put_in_force_and_a_broken_one_is_not(
    service: Retrieval, policy: Path
) -> None:
    # Descriptions are not kept in memory: they are read again.
    change(policy, "[block]\nwords = ['a story about the soup']\n")
    soup = {item.item_id for item in ITEMS if "about the soup" in item.description}
    everything = {item.item_id for item in ITEMS}

    async def soup_is_gone() -> bool:
        return await found(service, user()) == everything - soup

    await eventually(soup_is_gone)
    change(policy, "[block]\nword = []\n")

    async def refused() -> bool:
        return bool(told(policy.parent, ["policy_refused"]))

    await eventually(refused)
    assert await soup_is_gone()


def change(path: Path, text: str) -> None:
    path.write_text(text)


def told(directory: Path, kinds: Iterable[str]) -> list[dict[str, object]]:
    lines = (directory / "audit.jsonl").read_text().splitlines()
    return [record for line in lines if (record := json.loads(line))["what"] in kinds]


async def test_overrides_that_decide_are_told_once(service: Retrieval, tmp_path: Path) -> None:
    for _ in range(3):
        await found(service, user(1990))

    async def both() -> bool:
        return len(told(tmp_path, ["override_applied"])) >= 2

    await eventually(both)
    assert {(r["item_id"], r["decision"]) for r in told(tmp_path, ["override_applied"])} == {
        ("garden-01", "allow"),
        ("space-07", "block"),
    }
    assert len(told(tmp_path, ["override_applied"])) == 2
    assert [r["rules"] for r in told(tmp_path, ["policy_loaded"])] == [4]


async def test_a_broken_file_stops_the_service_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("[block]\nwords = [1]\n")
    audit = str(tmp_path / "audit.jsonl")
    with pytest.raises(StartFailed, match=r"policy\.toml: \[block\] words\[0\]"):
        async with running_retrieval(
            tmp_path, "http://127.0.0.1:1", "127.0.0.1:1", policy_file=str(path), audit_file=audit
        ):
            raise AssertionError("it has started")
