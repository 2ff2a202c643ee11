"""An audit log: JSON lines that are on disk before what they tell goes on."""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving.errors import StorageUnavailable

logger = logging.getLogger(__name__)
Record = dict[str, Any]


class AuditLog:
    """Appends to one file. Several processes of a machine may share it."""

    def __init__(self, path: str) -> None:
        """path: the file; it and its directory are made. Raises StorageUnavailable."""
        self.path = Path(path)
        self._one_at_a_time = threading.Lock()
        # Lines that nobody waits for keep their order.
        self._later = ThreadPoolExecutor(1, thread_name_prefix="audit")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
        except OSError as error:
            raise StorageUnavailable(f"audit log {path}: {error.strerror or error}") from error

    async def append(self, what: str, **told: object) -> None:
        """Append a line; return once it is on disk. Raises StorageUnavailable."""
        await asyncio.to_thread(self._append, what, told)

    def append_later(self, what: str, **told: object) -> None:
        """Append a line without making anybody wait. If that fails it is logged."""

        def work() -> None:
            try:
                self._append(what, told)
            except StorageUnavailable as error:
                logger.error("%s was not written: %s", what, error)

        self._later.submit(work)

    def records(self, what: str) -> Iterator[Record]:
        """Yield the lines of a kind, oldest first. Raises StorageUnavailable."""
        try:
            with self.path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    try:
                        record = json.loads(line)
                        matches = record["what"] == what
                    except (ValueError, KeyError, TypeError):
                        # A process that was killed may have left half a line.
                        if line.strip():
                            logger.error("%s line %d cannot be read", self.path, number)
                        continue
                    if matches:
                        yield record
        except OSError as error:
            raise StorageUnavailable(f"audit log {self.path}: {error.strerror}") from error

    def close(self) -> None:
        """Write what waits."""
        self._later.shutdown()

    def _append(self, what: str, told: dict[str, object]) -> None:
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        line = json.dumps({"time": now, "what": what, **told}, ensure_ascii=False)
        try:
            with self._one_at_a_time, self.path.open("ab+") as file:
                # Half a line must not spoil the next one.
                end = file.seek(0, os.SEEK_END)
                torn = end > 0 and os.pread(file.fileno(), 1, end - 1) != b"\n"
                file.write(b"\n" * torn + line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageUnavailable(f"audit log {self.path}: {error.strerror}") from error
