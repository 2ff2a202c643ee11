import json
import sys

import pytest

from tandem_cli.stack import first_ingestion
from tandem_cli.stack.first_ingestion import ingest_first

TRAINED_ON = {"spec": "movielens:/data/ml", "clean": ["drop_bots", "k_core=5"]}


class Finished:
    async def wait(self):
        return 0


class EmptyCatalogue:
    def __init__(self, *targets):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        pass

    async def list_items_page(self, **arguments):
        return type("Page", (), {"total_count": 0})

    async def get_info(self, **arguments):
        return type("Info", (), {"releases": []})


@pytest.fixture
def commands(monkeypatch):
    ran = []

    async def run(*command):
        ran.append(list(command))
        return Finished()

    monkeypatch.setattr(first_ingestion.asyncio, "create_subprocess_exec", run)
    monkeypatch.setattr(first_ingestion, "AsyncTandemClient", EmptyCatalogue)
    monkeypatch.setattr(first_ingestion, "need_dataset", lambda spec: None)
    return ran


def ingest_of(spec, clean):
    command = [sys.executable, "-m", "tandem_cli", "ingest", "--dataset", spec]
    command += [part for word in clean for part in ("--clean", word)]
    return [*command, "--target", "g:1", "--catalog-target", "c:2"]


async def test_a_new_state_gets_the_data_as_the_release_saw_them(tmp_path, commands):
    await ingest_first(tmp_path, "g:1", "c:2", TRAINED_ON, "auto", [])
    assert commands == [ingest_of("movielens:/data/ml", ["drop_bots", "k_core=5"])]
    assert json.loads((tmp_path / "ingestion.json").read_text())["complete"]


async def test_a_release_that_says_nothing_of_cleaning_gets_none(tmp_path, commands):
    await ingest_first(tmp_path, "g:1", "c:2", {"spec": "d"}, "auto", [])
    assert commands == [ingest_of("d", [])]


async def test_a_data_set_that_is_named_is_cleaned_as_asked_with_it(tmp_path, commands):
    await ingest_first(tmp_path, "g:1", "c:2", TRAINED_ON, "dir:other", ["k_core=2"])
    assert commands == [ingest_of("dir:other", ["k_core=2"])]
