"""Children of the command: started, watched, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem_cli.stack.process import ManagedProcess, ProcessFailed

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
PARENT = """
import sys, time
from pathlib import Path
from tandem_cli.stack.process import ManagedProcess
log, detached = Path(sys.argv[1]), sys.argv[2] == "1"
child = ManagedProcess("child", ["sleep", "60"], log_file=log, detached=detached)
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


def python(code: str, log_file: Path, **options: bool) -> ManagedProcess:
    return ManagedProcess("child", [sys.executable, "-c", code], log_file=log_file, **options)


def says(log_file: Path, text: str) -> bool:
    return text in log_file.read_text()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # a process has no event to wait for
            await asyncio.sleep(0.02)


async def test_a_child_is_ready_when_its_probe_says_so(tmp_path: Path) -> None:
    log = tmp_path / "log" / "child.log"
    child = python(SLEEP, log)
    child.start()
    await child.wait_until_ready(lambda: says(log, "up"), timeout_s=10)
    assert child.running
    assert child.exit_status is None
    await child.stop()
    assert not child.running
    assert child.exit_status == -signal.SIGTERM
    assert not alive(child.pid)


async def test_a_probe_may_be_asynchronous_and_may_fail_at_first(tmp_path: Path) -> None:
    child = python(SLEEP, tmp_path / "child.log")
    answers = iter([ConnectionError(), False, True])

    async def probe() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    child.start()
    await child.wait_until_ready(probe, timeout_s=10)
    await child.stop()


async def test_a_child_that_dies_early_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    log.write_text("from an earlier run\n")
    child = python("print('no licence'); raise SystemExit(3)", log)
    child.start()
    with pytest.raises(
        ProcessFailed, match="child ended with status 3 before it was ready"
    ) as error:
        await child.wait_until_ready(lambda: False, timeout_s=10)
    assert str(error.value).endswith("\n  | no licence")
    assert "earlier run" not in str(error.value)
    await child.stop()
    assert child.exit_status == 3


async def test_a_child_that_is_never_ready_is_an_error(tmp_path: Path) -> None:
    child = python(SLEEP, tmp_path / "child.log")
    child.start()
    with pytest.raises(ProcessFailed, match=r"was not ready within 0.3 s"):
        await child.wait_until_ready(lambda: asyncio.sleep(60, result=True), timeout_s=0.3)
    await child.stop()


async def test_a_child_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = python(STUBBORN, log)
    child.start()
    await child.wait_until_ready(lambda: says(log, "up"), timeout_s=10)
    await child.stop(timeout_s=0.2)
    assert child.exit_status == -signal.SIGKILL


async def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    child = python(code, log)
    child.start()
    await eventually(lambda: not child.running)
    grandchild = int(log.read_text())
    assert alive(grandchild)
    await child.stop()
    await eventually(lambda: not alive(grandchild))


async def test_it_can_be_started_again_and_stopped_twice(tmp_path: Path) -> None:
    child = python(SLEEP, tmp_path / "child.log")
    await child.stop()
    for _ in range(2):
        child.start()
        assert child.running
        await child.stop()
        await child.stop()


async def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    attached = ManagedProcess("ghost", ["/nonexistent"], log_file=tmp_path / "ghost.log")
    attached.start()
    with pytest.raises(ProcessFailed, match="ghost ended with status 127"):
        await attached.wait_until_ready(lambda: False, timeout_s=10)
    await attached.stop()
    detached = ManagedProcess(
        "ghost", ["/nonexistent"], log_file=tmp_path / "ghost.log", detached=True
    )
    with pytest.raises(ProcessFailed, match="ghost could not be started"):
        detached.start()


@pytest.mark.parametrize("detached", [False, True])
def test_a_child_outlives_its_parent_only_if_detached(tmp_path: Path, detached: bool) -> None:
    arguments = [sys.executable, "-c", PARENT, str(tmp_path / "log"), str(int(detached))]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    time.sleep(0.5)
    survived = alive(child)
    if survived:
        os.kill(child, signal.SIGKILL)
    assert survived == detached
