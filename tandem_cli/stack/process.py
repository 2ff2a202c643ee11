"""A server that the command starts, watches and stops."""

import asyncio
import contextlib
import inspect
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from tandem_cli.failure import CommandFailed

POLL_S = 0.05
LOG_LINES = 12
LOG_TAIL_BYTES = 16 * 1024

Probe = Callable[[], bool | Awaitable[bool]]


class ProcessFailed(CommandFailed):
    """A server did not start, or ended by itself. The text holds the last lines of its log."""


class ManagedProcess:
    """One child in a session of its own, with all output in a log file.

    Unless `detached`, the child gets SIGTERM when the thread that called `start` ends, however it
    ends: start it from the main thread.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log_file: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        detached: bool = False,
    ) -> None:
        """`env` is added to this process's environment."""
        self.name = name
        self.log_file = log_file
        self._command = [str(part) for part in command]
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._detached = detached
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The child's process id, also the id of its session and process group."""
        return self._started().pid

    @property
    def running(self) -> bool:
        """True from `start` until the child has ended."""
        return self._process is not None and self.exit_status is None

    @property
    def exit_status(self) -> int | None:
        """None while it runs, else its exit status, negative for a signal."""
        process = self._started()
        if process.returncode is not None:
            return process.returncode
        # It is left unreaped until `stop`, so that its id and group can be no one else's.
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def start(self) -> None:
        """Start the child; what it prints is appended to the log file. Raises ProcessFailed."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        command = self._command
        if not self._detached:
            command = [*bound_to_parent(), *command]
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    cwd=self._cwd,
                    start_new_session=True,
                )
            except OSError as error:
                raise ProcessFailed(f"{self.name} could not be started: {error}") from error

    async def wait_until_ready(self, probe: Probe, timeout_s: float) -> None:
        """Return once `probe`, called again and again, is true. Raises ProcessFailed.

        A probe that raises is one that is not true yet.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            if not self.running:
                raise self.failure(f"ended with status {self.exit_status} before it was ready")
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise self.failure(f"was not ready within {timeout_s:g} s")
            if await _answer(probe, remaining):
                return
            await asyncio.sleep(POLL_S)

    def failure(self, what: str) -> ProcessFailed:
        """Return an error that says what happened and shows the end of the log."""
        lines = "".join(f"\n  | {line}" for line in self.last_log_lines())
        return ProcessFailed(f"{self.name} {what}; its log is {self.log_file}{lines}")

    def last_log_lines(self, count: int = LOG_LINES) -> list[str]:
        """Return the last lines that this child printed."""
        with self.log_file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - LOG_TAIL_BYTES))
            return log.read().decode("utf-8", errors="replace").splitlines()[-count:]

    async def stop(self, timeout_s: float = 10.0) -> None:
        """End the child: SIGTERM, and after `timeout_s` SIGKILL. Its descendants end with it."""
        if self._process is None or self._process.returncode is not None:
            return
        if self.running:
            os.kill(self.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._ended()
        # Its descendants are in its group, and so is it until it is reaped.
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    async def _ended(self) -> None:
        while self.running:  # noqa: ASYNC110  # a process has no event to wait for
            await asyncio.sleep(POLL_S)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ProcessFailed(f"{self.name} was not started")
        return self._process


def bound_to_parent() -> list[str]:
    """Return what to put before a command so that it ends with the thread that starts it.

    A wrapper that execs, since code between fork and exec is unsafe in a process with threads, and
    gRPC starts many. The shell is for a parent that ended before the signal was asked for.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ProcessFailed("setpriv was not found (on Debian it is part of util-linux)")
    same_parent = '[ "$PPID" = "$0" ] || exit; exec "$@"'
    return [setpriv, "--pdeathsig", "TERM", "--", "/bin/sh", "-c", same_parent, str(os.getpid())]


async def _answer(probe: Probe, timeout_s: float) -> bool:
    try:
        answer = probe()
        if inspect.isawaitable(answer):
            async with asyncio.timeout(timeout_s):
                answer = await answer
    except Exception:
        return False
    return bool(answer)
