"""What several files of tests share, as it takes long to start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.milvus import running_milvus_server


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of Milvus itself. Whoever uses it names collections that nobody else does."""
    with running_milvus_server(tmp_path_factory.mktemp("milvus-server")) as uri:
        yield uri


@pytest.fixture(scope="session")
def release_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that was trained on two tastes. Whoever uses it leaves its files as they are."""
    # What trains takes seconds to import, for which files that do without it should not wait.
    from tests.support.trained import train_two_tastes

    return train_two_tastes(tmp_path_factory.mktemp("two_tastes"))
