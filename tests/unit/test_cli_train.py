import re
from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from tandem_cli.__main__ import app
from tandem_cli.failure import CommandFailed
from tandem_cli.training_run import training_run
from tests.support.trained import write_two_tastes
from training.datasets import DatasetError
from training.errors import TrainingError


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    failure = result.exception if isinstance(result.exception, CommandFailed) else ""
    return result.exit_code, f"{result.output}{failure}"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_two_tastes(tmp_path / "data")


def test_train_needs_a_data_set_and_a_place_to_write(dataset):
    status, said = run("train", "--dataset", dataset)
    assert status == 2
    assert "--out" in said


def test_train_encoder_needs_none_of_what_train_needs(dataset, tmp_path):
    status, said = run("train", "encoder", "--dataset", dataset, "--out", tmp_path / "out")
    assert status == 1
    assert said == "say --pretrain or --behaviour: one way in which an encoder is trained"


def test_what_train_needs_is_needed_again_after_train_encoder(dataset, tmp_path):
    run("train", "encoder", "--dataset", dataset, "--out", tmp_path / "out")
    assert run("train", "--dataset", dataset)[0] == 2


@pytest.mark.parametrize("command", [("train",), ("train", "encoder", "--pretrain")])
def test_an_unknown_removal_is_told_before_anything_is_read(command, dataset, tmp_path):
    arguments = ("--dataset", dataset, "--out", tmp_path / "out", "--clean", "all")
    status, said = run(*command, *arguments)
    assert status == 1
    assert said == "--clean all: it takes drop_bots, drop_impossible_times, k_core=N"


def test_a_warm_start_must_be_a_release(dataset, tmp_path):
    arguments = ("--dataset", dataset, "--out", tmp_path / "out", "--warm-start", dataset)
    status, said = run("train", *arguments)
    assert status == 1
    assert said == f"--warm-start: {dataset} is no release: it has no manifest.json"


def test_up_refuses_to_clean_what_it_does_not_name():
    status, said = run("up", "--clean", "drop_bots")
    assert status == 1
    assert said == "--clean goes with a data set, which --ingest auto does not name"


def test_each_line_of_training_has_the_seconds_beside_it(capsys):
    with training_run() as tell:
        tell("one\ntwo [of] them")
    said = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^ +\d+ s  ", "", line) for line in said] == ["one", "two [of] them"]
    assert all(re.match(r" +\d+ s  ", line) for line in said)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DatasetError("items.csv", "is empty"), "items.csv: is empty"),
        (TrainingError("no room"), "no room"),
        (grpc.RpcError("gone"), "the text encoder failed: gone"),
    ],
)
def test_what_training_cannot_help_is_told_in_one_line(error, said):
    with pytest.raises(CommandFailed) as raised, training_run():
        raise error
    assert str(raised.value) == said


def test_relations_beside_a_data_set_are_refused(dataset, tmp_path):
    relations = tmp_path / "relations.csv"
    relations.write_text("head,relation,tail\n")
    status, said = run("train", "-d", dataset, "--out", tmp_path / "r", "--relations", relations)
    assert status == 1
    assert "--relations goes with --from-events" in said
