import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

from tandem_cli.commands.up import refuse_second_stack, release_to_serve
from tandem_cli.dataset_spec import need_dataset
from tandem_cli.disk import need_free
from tandem_cli.failure import CommandFailed
from tandem_cli.stack.detached import start_detached, stop_stack
from tandem_cli.stack.record import (
    Part,
    StackRecord,
    read_record,
    start_ticks,
    write_record,
)
from tests.support.release import write_small_release


@pytest.fixture
def sleeper():
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    yield process
    process.kill()
    process.wait()


def part_of(process, name="sleeper"):
    return Part(name, process.pid, start_ticks(process.pid), "", "")


def test_a_record_is_read_as_it_was_written(tmp_path, sleeper):
    record = StackRecord(part_of(sleeper), [part_of(sleeper, "a")], "g:1", "c:2", ready=True)
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record


def test_a_state_that_never_had_a_stack_has_no_record(tmp_path):
    assert read_record(tmp_path) is None
    assert stop_stack(tmp_path) == []


def test_a_process_is_alive_until_it_ends(sleeper):
    part = part_of(sleeper)
    assert part.alive()
    assert part.memory_bytes() > 0
    sleeper.kill()
    sleeper.wait()
    assert not part.alive()
    assert part.memory_bytes() == 0


def test_a_pid_that_was_taken_by_another_process_is_not_ours(tmp_path, sleeper):
    stranger = Part("ranking", sleeper.pid, start_ticks(sleeper.pid) - 1, "", "")
    assert not stranger.alive()
    write_record(tmp_path, StackRecord(stranger, [stranger], "", ""))
    refuse_second_stack(tmp_path)
    assert stop_stack(tmp_path) == []
    assert sleeper.poll() is None


def test_a_stack_whose_supervisor_died_is_stopped_part_by_part(tmp_path, sleeper):
    gone = Part("tandem up", 2**22 - 1, 1, "", "")
    write_record(tmp_path, StackRecord(gone, [part_of(sleeper, "ranking")], "", ""))
    assert [part.name for part in stop_stack(tmp_path)] == ["ranking"]
    assert sleeper.wait(5) != 0
    assert read_record(tmp_path) is None


def test_a_second_stack_on_a_state_is_refused_naming_what_runs(tmp_path, sleeper):
    write_record(tmp_path, StackRecord(part_of(sleeper, "tandem up"), [], "", ""))
    with pytest.raises(CommandFailed, match=rf"tandem up \({sleeper.pid}\)"):
        refuse_second_stack(tmp_path)


def test_a_stack_in_the_background_that_ends_is_a_failure_with_its_output(tmp_path, capfd):
    log = tmp_path / "log" / "up.log"
    with pytest.raises(CommandFailed, match="did not start"):
        start_detached(["up", "--state", str(tmp_path / "none")], tmp_path, log)
    assert "no release: name one with --release" in capfd.readouterr().err


def test_a_release_that_was_altered_is_refused_before_anything_starts(tmp_path):
    release = write_small_release(tmp_path / "r", "r", ["a"], ["a"])
    assert release_to_serve(release, tmp_path / "state").release_id == "r"
    (release / "fallback.json").write_text(json.dumps(["b"]))
    with pytest.raises(CommandFailed, match=r"fallback\.json does not match its hash"):
        release_to_serve(release, tmp_path / "state")


def test_a_full_disk_is_told_with_what_is_needed_and_what_there_is(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 3 * 1024 * 1024))
    with pytest.raises(CommandFailed, match=r"the stack needs 512 MiB .* which has 3 MiB"):
        need_free(tmp_path / "not" / "yet" / "there", 512, "the stack")


def test_a_data_set_may_be_named_with_or_without_its_kind(tmp_path):
    need_dataset(str(tmp_path))
    need_dataset(f"movielens:{tmp_path}")
    with pytest.raises(CommandFailed, match="no data set directory"):
        need_dataset(f"movielens:{tmp_path / 'none'}")


def test_start_ticks_of_a_process_that_is_gone_are_negative():
    assert start_ticks(os.getpid()) > 0
    assert start_ticks(2**22 - 1) == -1
