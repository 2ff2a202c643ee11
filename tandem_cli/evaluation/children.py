"""Runs a program to its end, shows what it says, and watches its time and memory."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tandem_cli.stack.process import ManagedProcess

POLL_S = 0.2
STOP_TIMEOUT_S = 10.0
KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Ended:
    """How a program ended. peak_rss_mib: of all its processes together. lines: its last ones."""

    status: int
    seconds: float
    peak_rss_mib: float
    lines: list[str]


def run_child(
    name: str,
    command: Sequence[str | Path],
    log_file: Path,
    cwd: Path,
    hear: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Run a program; `hear` gets its lines. It ends with this process, however that ends."""
    process = ManagedProcess(name, command, log_file=log_file, cwd=cwd)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    log_file.write_bytes(b"")
    peaks: dict[int, float] = {}
    start = time.monotonic()
    process.start()
    try:
        with log_file.open(encoding="utf-8", errors="replace") as log:
            while process.running:
                _hear_lines(log.read(), hear)
                peaks |= _peaks(process.pid)
                time.sleep(POLL_S)
            _hear_lines(log.read(), hear)
        status = process.exit_status
    finally:
        asyncio.run(process.stop(STOP_TIMEOUT_S))
    seconds = round(time.monotonic() - start, 2)
    assert status is not None
    return Ended(status, seconds, round(sum(peaks.values()), 1), process.last_log_lines())


def _hear_lines(text: str, hear: Callable[[str], None]) -> None:
    for line in text.splitlines():
        if line.strip():
            hear(line.rstrip())


def _peaks(group: int) -> dict[int, float]:
    """Return the most that each process of a group has held so far, MiB."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        pid = int(directory.name)
        try:
            if os.getpgid(pid) != group:
                continue
            for line in (directory / "status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    found[pid] = int(line.split()[1]) / KIB_PER_MIB
        except OSError:
            continue
    return found
