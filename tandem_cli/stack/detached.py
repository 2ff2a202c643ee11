"""A stack in the background: `tandem up` in a session of its own, with its output in a log."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tandem_cli.console import err
from tandem_cli.failure import CommandFailed
from tandem_cli.stack.record import Part, StackRecord, read_record, remove_record

POLL_S = 0.1
STOP_TIMEOUT_S = 60.0


def start_detached(arguments: Sequence[str], state: Path, log_file: Path) -> None:
    """Run `tandem` with these arguments; return once the stack on `state` serves.

    Shows what it says meanwhile. Raises CommandFailed if it ends instead.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        shown = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "tandem_cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        while process.poll() is None and not _serves(state, process.pid):
            shown = _show(log_file, shown)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    _show(log_file, shown)
    if process.poll() is not None:
        raise CommandFailed(f"the stack did not start; its log is {log_file}")


def stop_stack(state: Path) -> list[Part]:
    """Stop the stack on a state directory; return its processes that ran, [] if none did."""
    record = read_record(state)
    if record is None:
        return []
    ran = record.alive()
    if record.supervisor in ran:
        # It stops the parts in their order.
        os.kill(record.supervisor.pid, signal.SIGTERM)
        _wait(record, STOP_TIMEOUT_S)
    for part in reversed(record.alive()):
        # Each part leads a process group of its own; what it started is in it.
        os.killpg(part.pid, signal.SIGTERM)
    _wait(record, STOP_TIMEOUT_S / 4)
    for part in record.alive():
        os.killpg(part.pid, signal.SIGKILL)
    remove_record(state)
    return ran


def _serves(state: Path, pid: int) -> bool:
    record = read_record(state)
    return record is not None and record.ready and record.supervisor.pid == pid


def _wait(record: StackRecord, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while record.alive() and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _show(log_file: Path, start: int) -> int:
    with log_file.open("rb") as log:
        log.seek(start)
        text = log.read()
    err.print(text.decode(errors="replace"), end="", markup=False, soft_wrap=True)
    return start + len(text)
