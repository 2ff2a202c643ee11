"""What an operator of the whole stack sees."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tandem_cli.stack.ports import require_free
from tests.support.command import ROOT
from tests.support.running_stack import RunningStack, copy_release, tandem

RECOVERY_S = 60.0


class Traffic:
    """Asks for lists without a pause, from a thread of its own."""

    def __init__(self, stack):
        self.answers = []
        self.errors = []
        self._stop = threading.Event()
        self._client = stack.client()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._thread.join()
        self._client.close()

    def _run(self):
        while not self._stop.is_set():
            try:
                self.answers.append(self._client.recommend("u00001", text="jazz", timeout_s=10))
            except Exception as error:
                self.errors.append(error)


def wait_for(condition, timeout_s=RECOVERY_S):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_a_release_is_activated_and_rolled_back_under_traffic(stack, release, tmp_path):
    second = copy_release(release, tmp_path / "second", "the-second")
    with stack.client() as client, Traffic(stack) as traffic:
        first_id = client.get_info(timeout_s=10).current_release_id
        tandem("release", "activate", second, "--target", stack.target)
        assert client.recommend(timeout_s=10).release_id == "the-second"
        tandem("release", "rollback", "--target", stack.target)
        assert client.recommend(timeout_s=10).release_id == first_id
        listed = tandem("release", "list", "--target", stack.target).stdout
    assert "the-second" in listed
    assert not traffic.errors
    assert {answer.release_id for answer in traffic.answers} == {first_id, "the-second"}
    assert all(len(answer.items) == 10 for answer in traffic.answers)


def test_an_altered_release_is_refused_and_the_live_one_stays(stack, release, tmp_path):
    altered = copy_release(release, tmp_path / "altered", "altered")
    table = altered / "fallback.json"
    content = table.read_text()
    table.unlink()  # it shares its content with the original
    table.write_text(content + " ")
    done = tandem("release", "activate", altered, "--target", stack.target, status=1)
    assert done.stderr.startswith("tandem: ")
    assert "does not match its hash" in done.stderr
    with stack.client() as client:
        assert client.recommend(timeout_s=10).release_id != "altered"


@pytest.mark.parametrize("name", ["ranking", "retrieval", "triton", "milvus"])
def test_a_part_that_was_killed_comes_back_and_lists_are_never_empty(stack, name):
    pid = stack.pid(name)
    with stack.client() as client:
        os.kill(pid, signal.SIGKILL)
        answer = client.recommend("u00001", text="jazz", timeout_s=10)
        assert len(answer.items) == 10
        wait_for(lambda: stack.pid(name) != pid)

        def recovered():
            answer = client.recommend("u00001", text="jazz", timeout_s=10)
            assert len(answer.items) == 10
            return not answer.degraded

        wait_for(recovered)


def test_status_tells_of_every_part(stack):
    shown = tandem("status", "--state", stack.state).stdout
    for name in ("triton", "milvus", "retrieval", "ranking", "gateway"):
        assert name in shown
    for model in ("text_encoder", "user_encoder"):
        assert f"{model} 1 ready" in shown
    memory = float(shown.split("memory in all:")[1].split()[0].replace(",", ""))
    assert 100 < memory < 4096


def test_a_load_test_tells_what_became_of_every_request(stack, world):
    asked = ("load", "--seconds", 2, "--warm-up", 0, "--timeout-s", 10, "--target", stack.target)
    told = json.loads(tandem(*asked, "--rate", 2, "--rate", 4, "--json").stdout)
    assert told["users"] > 100  # of 150: some have done nothing
    assert [step["rate_per_s"] for step in told["steps"]] == [2.0, 4.0]
    for step in told["steps"]:
        assert step["arrivals"] > 0
        assert step["answered"] + sum(step["not_answered"].values()) == step["arrivals"]
        assert step["goodput_per_s"] * step["seconds"] <= step["arrivals"]
    assert told["steps"][1]["stage_medians_ms"]["rank"] > 0
    shown = tandem(*asked, "--rate", 3, "--dataset", world, "--unknown-share", 0.5).stdout
    assert "Goodput" in shown
    assert "3.0/s" in shown


def test_a_second_stack_on_the_same_state_or_ports_is_refused(stack, tmp_path):
    release = ("--release", stack.release)
    done = tandem("up", *release, "--state", stack.state, status=1)
    assert "runs on" in done.stderr
    done = tandem("up", *release, "--state", tmp_path / "s", *stack.port_options, status=1)
    assert "is in use" in done.stderr.splitlines()[-1]


def test_a_stopped_stack_leaves_nothing_behind_and_starts_again_as_it_was(release, tmp_path):
    stack = RunningStack.start(tmp_path / "state", release)
    with stack.client() as client:
        client.delete_items(["no-such-item"], timeout_s=10)
        first = client.recommend("u00001", timeout_s=10)
    record = stack.record
    groups = [part.pid for part in (record.supervisor, *record.parts)]
    stack.stop()
    assert not record.alive()
    assert not [g for g in groups if members_of(g)]
    for port in stack.ports:
        require_free(port, "what was stopped")
    assert not list(Path("/dev/shm").glob(f"tandem_triton_{stack.ports[4]}_*"))

    # Without --release the one that served last serves again, and nothing is ingested twice.
    done = tandem("up", "--state", stack.state, *stack.port_options, "--detach")
    assert "ingesting" not in done.stderr
    with stack.client() as client:
        again = client.recommend("u00001", timeout_s=10)
    stack.stop()
    assert again.release_id == first.release_id
    assert len(again.items) == 10


def members_of(group):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat)
    return found


def test_a_part_that_cannot_start_is_told_with_the_end_of_its_log(release, tmp_path):
    state = tmp_path / "state"
    (state / "retrieval").mkdir(parents=True)
    (state / "retrieval" / "catalogue.db").write_text("this is no database, whatever its name says")
    stack = RunningStack.on_free_ports(state, release)
    done = tandem("up", "--release", release, "--state", state, *stack.port_options, status=1)
    assert "retrieval ended with status" in done.stderr
    assert "  | " in done.stderr


def test_a_stack_that_is_stopped_while_it_starts_leaves_nothing_behind(release, tmp_path):
    stack = RunningStack.on_free_ports(tmp_path / "state", release)
    arguments = ["up", "--release", release, "--state", stack.state, *stack.port_options]
    with subprocess.Popen(
        [sys.executable, "-m", "tandem_cli", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = [process.stderr.readline(), process.stderr.readline()]
        groups = [part.pid for part in stack.record.parts]
        process.send_signal(signal.SIGINT)
        said += process.stderr.readlines()
        assert process.wait(60) == 0
    assert groups
    assert not [g for g in groups if members_of(g)]
    assert "stopping\n" in said
    assert not [line for line in said if "Traceback" in line]


def test_no_release_no_stack(tmp_path):
    done = tandem("up", "--state", tmp_path / "state", status=1)
    assert done.stderr == "tandem: no release: name one with --release; `tandem train` makes them\n"
    done = tandem("up", "--release", tmp_path, "--state", tmp_path / "state", status=1)
    assert done.stderr == f"tandem: {tmp_path} is no release: it has no manifest.json\n"


def test_training_on_nothing_or_onto_something_is_refused(world, tmp_path):
    done = tandem("train", "--dataset", tmp_path / "none", "--out", tmp_path / "out", status=1)
    assert done.stderr == f"tandem: there is no data set directory {tmp_path / 'none'}\n"
    done = tandem("train", "--dataset", world, "--out", tmp_path, status=1)
    assert "exists already" in done.stderr
