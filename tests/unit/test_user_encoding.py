"""The user encoder without Triton: padding, checks, and towers side by side."""

import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
import torch

from models.tower.attention_bias import time_buckets
from models.tower.config import TowerConfig
from tests.support.towers import random_served_tower, write_tower_release
from tests.support.user_encoding import tower, towers, users

ABOUT = {
    "items": 9,
    "actions": 16,
    "text_width": 3,
    "event_width": 2,
    "context_width": 4,
    "width": 5,
    "max_history": 50,
}


def some_users(count: int, events: int, unknown: int = 1) -> users.Users:
    random = np.random.default_rng(events)
    return users.Users(
        rows=random.integers(-unknown, 9, (count, events)),
        unknown_vectors=random.normal(size=(count, unknown, 3)).astype(np.float32),
        actions=random.integers(0, 8, (count, events)),
        features=random.normal(size=(count, events, 2)).astype(np.float32),
        times_ms=np.sort(random.integers(0, 10**12, (count, events))),
        next_ms=np.full((count, events), 10**12),
        context=random.normal(size=(count, 4)).astype(np.float32),
        length=np.full(count, events),
    )


def test_padding_keeps_what_each_user_has() -> None:
    short, long = some_users(2, 3), some_users(1, 7, unknown=4)
    both = users.together([short, long])
    both.check(ABOUT)
    assert len(both) == 3
    assert both.features.shape == (3, 7, 2)
    assert both.unknown_vectors.shape == (3, 4, 3)
    np.testing.assert_array_equal(both.rows[:2, :3], short.rows)
    assert not both.rows[:2, 3:].any()
    np.testing.assert_array_equal(both.times_ms[2:], long.times_ms)
    assert both.length.tolist() == [3, 3, 7]


def test_users_are_computed_with_those_of_similar_length() -> None:
    mixed = users.together([some_users(1, n) for n in (9, 2, 8, 1, 3)])
    found = users.parts(mixed, 2)
    assert [mixed.length[places].tolist() for places in found] == [[1, 2], [3, 8], [9]]
    assert users.arguments(mixed, found[0])[0].shape == (2, 2)


def test_buckets_of_time_are_those_of_training_at_every_edge() -> None:
    edges = [(2**k - 1) * 1000 + d for k in range(1, 45) for d in range(-1500, 1501, 50)]
    elapsed = np.array([[-5, 0, 10**15, *edges]])
    start = np.zeros((1, 1), np.int64)
    expected = time_buckets(torch.from_numpy(start), torch.from_numpy(elapsed))
    np.testing.assert_array_equal(users.time_buckets(start, elapsed), expected.numpy())


@pytest.mark.parametrize("length", [0, 4])
def test_a_length_beyond_the_events_is_refused(length: int) -> None:
    bad = some_users(1, 3)
    bad.length[0] = length
    with pytest.raises(users.BadInput, match="LENGTH must be from 1 to 3"):
        bad.check(ABOUT)


class Loads:
    """Notes what is loaded; each load waits until it is let go, and may fail."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.go = threading.Semaphore(0)
        self.fails = False

    def __call__(self, release_id: str, uri: str) -> str:
        assert self.go.acquire(timeout=10)
        self.loaded.append(release_id)
        if self.fails:
            raise OSError("not today")
        return f"tower of {release_id}"


def test_a_tower_is_loaded_once_and_others_answer_meanwhile() -> None:
    loads = Loads()
    shelf = towers.Towers(loads)  # type: ignore[arg-type]
    loads.go.release()
    assert shelf.get("a", "/a").result(10) == "tower of a"
    waiting: list[Future[object]] = [shelf.get("b", "/b"), shelf.get("b", "/b")]
    assert not waiting[0].done()
    assert shelf.get("a", "/a").done()
    loads.go.release()
    assert [each.result(10) for each in waiting] == ["tower of b"] * 2
    assert loads.loaded == ["a", "b"]
    shelf.stop()


def test_the_tower_that_was_not_used_for_longest_goes() -> None:
    loads = Loads()
    shelf = towers.Towers(loads)  # type: ignore[arg-type]
    loads.go.release(10)
    for name in ("a", "b", "c", "d", "a", "e", "a", "b"):
        shelf.get(name, "").result(10)
    assert loads.loaded == ["a", "b", "c", "d", "e", "b"]
    shelf.stop()


def test_a_load_that_failed_is_tried_again_and_takes_no_place() -> None:
    loads = Loads()
    shelf = towers.Towers(loads)  # type: ignore[arg-type]
    loads.fails = True
    loads.go.release(2)
    for _ in range(2):
        with pytest.raises(OSError, match="not today"):
            shelf.get("a", "").result(10)
    loads.fails = False
    loads.go.release()
    assert shelf.get("a", "").result(10) == "tower of a"
    shelf.stop()


def test_the_engines_agree_alone_and_among_others(tmp_path: Path) -> None:
    config = TowerConfig(items=9, text_width=3, event_width=2, context_width=4, width=8)
    release = write_tower_release(tmp_path / "release", "r", random_served_tower(config))
    asked = users.together([some_users(2, n, unknown=2) for n in (1, 30, 7, 8)])
    found = {}
    for engine in ("openvino", "torch"):
        parameters = {"releases_root": str(tmp_path), "engine": engine, "threads": "1"}
        loaded = tower.Tower.load("r", release.uri, parameters, "cpu")
        found[engine] = loaded.vectors(asked)
        alone = np.concatenate([loaded.vectors(one) for one in singles(asked)])
        np.testing.assert_allclose(found[engine], alone, atol=1e-5, rtol=1e-4)
    np.testing.assert_allclose(found["openvino"], found["torch"], atol=1e-5, rtol=1e-4)


def singles(asked: users.Users) -> list[users.Users]:
    """Return each user without padding of the history."""
    return [
        users.Users(
            asked.rows[n : n + 1, :length],
            asked.unknown_vectors[n : n + 1],
            asked.actions[n : n + 1, :length],
            asked.features[n : n + 1, :length],
            asked.times_ms[n : n + 1, :length],
            asked.next_ms[n : n + 1, :length],
            asked.context[n : n + 1],
            asked.length[n : n + 1],
        )
        for n, length in enumerate(asked.length.tolist())
    ]


def test_a_release_outside_the_root_is_refused(tmp_path: Path) -> None:
    parameters = {"releases_root": str(tmp_path / "releases"), "engine": "auto", "threads": "1"}
    with pytest.raises(tower.TowerUnusable, match="is not under"):
        tower.Tower.load("r", str(tmp_path / "releases" / ".." / "r"), parameters, "cpu")
