"""What holds for every test."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import models as models  # before torch: it settles how its threads wait

# Nothing may ask the network for weights: a test that tries has forgotten its own.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

SETUP_BASELINES = Path(__file__).parents[1] / "scripts" / "setup_baselines"
BEGUN = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin with the baselines' environment while other tests run: it takes a minute and more."""
    if any("baselines_environment" in getattr(t, "fixturenames", ()) for t in session.items):
        command = ["nice", "-n", "10", str(SETUP_BASELINES)]
        session.config.stash[BEGUN] = subprocess.Popen(command, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def baselines_environment(request: pytest.FixtureRequest) -> None:
    """Wait until the baselines can be run."""
    assert request.config.stash[BEGUN].wait() == 0, f"{SETUP_BASELINES} failed"


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if begun := request.config.stash.get(BEGUN, None):
        begun.terminate()
        begun.wait()
