"""What several files of tests share, as it takes long to start."""

from collections.abc import Iterator

import pytest

from tests.support.milvus import running_milvus_server


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of Milvus itself. Whoever uses it names collections that nobody else does."""
    with running_milvus_server(tmp_path_factory.mktemp("milvus-server")) as uri:
        yield uri
