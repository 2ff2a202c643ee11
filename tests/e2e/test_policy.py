"""Safety and privacy on the whole stack, as its operator and its users see them."""

import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing

import pytest

from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import UserProfile
from tests.support.running_stack import RunningStack, tandem

POLICY = """
[block]
tags = ["dark"]
words = ["map"]

[age.categories]
"Crime thrillers" = 16
"""
ASKED = ("crime thrillers", "old maps", "something dark", "rock music", "暗黑的故事", "restaurants")
BORN = {"unknown": 0, "child": 2018, "grown-up": 1980}


@pytest.fixture(scope="module")
def guarded(release, tmp_path_factory):
    directory = tmp_path_factory.mktemp("guarded")
    policy = directory / "policy.toml"
    policy.write_text(POLICY)
    running = RunningStack.start(directory / "state", release, "--policy", policy)
    yield running
    running.stop()


def forbidden(item, age):
    """Return whether the policy keeps an item of the sample world from an age."""
    text = " ".join([item.title, item.description, *item.tags]).lower()
    words = "".join(letter if letter.isalpha() else " " for letter in text).split()
    return (
        "dark" in item.tags
        or bool({"map", "maps"} & set(words))
        or (age < 16 and "crime thrillers" in item.categories)
    )


def test_no_list_holds_what_the_policy_keeps_from_its_user(guarded):
    with guarded.client() as client:
        catalogue = {item.item_id: item for item in client.list_items()}
        thrillers = {i for i, item in catalogue.items() if "crime thrillers" in item.categories}
        assert any(forbidden(item, 99) for item in catalogue.values())
        seen = {}
        for user, birth_year in BORN.items():
            client.put_profile(user, UserProfile(birth_year=birth_year), timeout_s=10)
            age = 40 if birth_year == 1980 else 0
            shown = set()
            for text in ASKED:
                answer = client.recommend(user, text=text, item_count=50, timeout_s=10)
                assert len(answer.items) == 50
                assert not answer.degraded, answer.skipped_stages
                shown.update(item.item_id for item in answer.items)
            assert not [i for i in shown if forbidden(catalogue[i], age)]
            seen[user] = shown & thrillers
    assert seen["grown-up"]
    assert not seen["child"]
    assert not seen["unknown"]


def test_with_the_services_behind_it_down_the_gateway_shows_nothing_unchecked(guarded):
    # Started again by the stack within seconds; until then nobody can judge the fallback list.

    with guarded.client() as client:
        catalogue = {item.item_id: item for item in client.list_items()}
        os.kill(guarded.pid("retrieval"), signal.SIGKILL)
        for _ in range(20):
            answer = client.recommend("child", item_count=20, timeout_s=2)
            assert not [i for i in answer.items if forbidden(catalogue[i.item_id], 0)]


def test_a_user_is_exported_and_stays_erased_when_a_backup_is_restored(guarded, tmp_path):
    database = guarded.state / "gateway" / "users.db"
    with guarded.client() as client:
        client.put_profile("anna", UserProfile(text="calm and quiet"), timeout_s=10)
        event = Event(user_id="anna", item_id="news-00001", action=event_pb2.ACTION_VIEW)
        client.record_events([event], timeout_s=10)
        client.recommend("anna", item_count=5, timeout_s=10)
    file = tmp_path / "anna.jsonl"
    tandem("user", "export", "anna", "--out", file, "--target", guarded.target)
    kinds = [next(iter(json.loads(line))) for line in file.read_text().splitlines()]
    assert kinds == ["profile", "event", "impression"]

    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(backup)) as copy:
        source.backup(copy)
    tandem("user", "erase", "anna", "--target", guarded.target)
    guarded.stop()
    for stale in database.parent.glob("users.db*"):
        stale.unlink()
    shutil.copy(backup, database)
    policy = guarded.state.parent / "policy.toml"
    options = ("--policy", policy, "--state", guarded.state, *guarded.port_options, "--detach")
    tandem("up", *options)
    with guarded.client() as client:
        assert not client.get_user_state("anna", timeout_s=10).user.version
        assert not next(iter(client.export_user("anna", timeout_s=10))).HasField("profile")
    assert b"calm and quiet" not in b"".join(
        path.read_bytes() for path in database.parent.glob("users.db*")
    )
    audit = (guarded.state / "gateway" / "audit.jsonl").read_text()
    assert "anna" not in audit
    whats = [json.loads(line)["what"] for line in audit.splitlines()]
    assert whats.count("policy_loaded") == 2
    assert whats.count("user_erased") == 1
    assert whats.count("user_exported") == 2
    log = "".join(
        path.read_text(errors="replace") for path in (guarded.state.parent / "log").glob("*")
    )
    assert "anna" not in log
    assert "calm and quiet" not in log
