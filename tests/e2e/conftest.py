import os
from unittest.mock import patch

import pytest

from tests.support.running_stack import RunningStack, tandem


def pytest_collection_modifyitems(items):
    # The first test waits until a world is trained on and the whole stack is up.
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    directory = tmp_path_factory.mktemp("world") / "data"
    tandem("sample", directory, "--items", 300, "--users", 150, "--seed", 3, "--friends")
    return directory


@pytest.fixture(scope="session")
def release(world, tmp_path_factory):
    directory = tmp_path_factory.mktemp("releases") / "first"
    small = (
        "positions=96",
        "epochs=1",
        "candidate_count=100",
        "validation_users=16",
        "evaluation_users=16",
    )
    settings = [part for setting in small for part in ("--set", setting)]
    tandem("train", "--dataset", world, "--out", directory, *settings)
    return directory


@pytest.fixture(scope="session")
def stack(release, tmp_path_factory):
    state = tmp_path_factory.mktemp("stack") / "state"
    # Every answer is logged with its features, and explores only if it is asked to.
    settings = {"FEATURE_LOG_SHARE": "1", "EXPLORATION_SHARE": "0"}
    with patch.dict(os.environ, {f"TANDEM_GATEWAY_{key}": v for key, v in settings.items()}):
        running = RunningStack.start(state, release)
    yield running
    running.stop()


@pytest.fixture
def client(stack):
    with stack.client() as client:
        yield client
