"""A command of `tandem` that another one runs."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tandem_cli.failure import CommandFailed
from tandem_cli.subcommand import run_subcommand

# Long enough to be ended in the midst of it.
LARGE = ("--items", "200000", "--users", "200000")
PARENT = f"""
import sys
from tandem_cli.subcommand import run_subcommand
run_subcommand("sample", sys.argv[1], *{LARGE!r})
"""


def running(directory: Path) -> list[int]:
    """Return the processes other than the parent that were told this directory."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(directory).encode() in words and b"tandem_cli" in words:
            found.append(int(file.parent.name))
    return found


def wait_for(directory: Path, *, there: bool) -> None:
    deadline = time.monotonic() + 20
    while bool(running(directory)) != there:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_it_says_of_failing_names_the_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandFailed, match="`tandem sample` failed"):
        run_subcommand("sample", str(tmp_path / "world"), "--items", "none", quiet=True)
    assert "--items" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_command_that_runs_it(tmp_path: Path, number: signal.Signals) -> None:
    world = tmp_path / "world"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(world)]) as parent:
        wait_for(world, there=True)
        parent.send_signal(number)
    wait_for(world, there=False)
