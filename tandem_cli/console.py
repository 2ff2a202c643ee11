"""Where results and progress go: results to standard output, all else to standard error."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_terminal = Console()
# Wide enough for the tables where there is no terminal to ask.
out = _terminal if _terminal.is_terminal else Console(width=140)
err = Console(stderr=True, highlight=False)


def say(message: str) -> None:
    """Tell people what is going on."""
    err.print(message, markup=False, soft_wrap=True)


@contextmanager
def timed(message: str) -> Iterator[None]:
    """Tell what is being done, with a spinner on a terminal, and how long it took."""
    start = time.monotonic()
    if err.is_terminal:
        with err.status(message):
            yield
    else:
        say(f"{message} ...")
        yield
    say(f"{message}: done in {time.monotonic() - start:.0f} s")


class Counter:
    """Counts work done: a bar on a terminal, else a line every few seconds."""

    EVERY_S = 5.0

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._done = 0
        self._start = self._last = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> "Counter":
        if err.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, TimeElapsedColumn(), console=err, transient=True)
            self._bar.start()
            self._bar.add_task(self._label, total=self._total)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        seconds = time.monotonic() - self._start
        say(f"{self._label}: {self._done:,} of {self._total:,} in {seconds:.0f} s")

    def advance(self, count: int) -> None:
        """Add work done."""
        self._done += count
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], count)
        elif time.monotonic() - self._last >= self.EVERY_S:
            self._last = time.monotonic()
            say(f"{self._label}: {self._done:,} of {self._total:,}")
