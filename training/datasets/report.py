"""What cleaning found and did, and the rows that it refused."""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from training.datasets.errors import DatasetError

MAX_RAW_CHARACTERS = 2_000
# All are counted, but a file of nothing else must not fill the memory.
MAX_ROWS_WRITTEN = 1_000_000


@dataclass
class CleaningReport:
    """Counts of what was read, refused and repaired. `str()` of it is for people."""

    rows_read: Counter[str] = field(default_factory=Counter)
    """Rows by file."""
    rows_rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows by file and reason."""
    duplicate_rows_removed: int = 0
    """Interactions that repeat an earlier row byte for byte."""
    replaced_rows: Counter[str] = field(default_factory=Counter)
    """Rows by file whose id came again later; the last row won."""
    bot_like_users: int = 0
    """Users who act faster than people do; training.datasets.suspicion has the limits."""
    bot_like_events: int = 0
    """Interactions of these users."""
    impossible_times: Counter[str] = field(default_factory=Counter)
    """Interactions at times at which they cannot have happened, by what speaks against them."""
    times_are_dates: bool = False
    """Whether all times are the beginnings of days, so that no order within a day is known."""
    removed: dict[str, int] = field(default_factory=dict)
    """Interactions that went because it was asked, by what was asked."""
    notes: list[str] = field(default_factory=list)
    """How files were read that say less, or more, than Tandem wants to know."""
    labels_without_action: int = 0
    """Interactions that have a label but neither action nor rating; they are read as a view."""
    items_made: int = 0
    """Items that only interactions name; they have no text."""
    users_made: int = 0
    """Users that only interactions name; they have no text."""
    items_without_text: int = 0
    """Items with neither title nor description, `items_made` included."""
    texts_with_encoding_repaired: int = 0
    """Distinct texts that were damaged by a wrong decoding."""
    texts_with_html_removed: int = 0
    """Distinct texts that held tags or entities."""
    texts_shortened: int = 0
    """Distinct texts that were longer than the contract allows."""
    ignored_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns by file that the format does not know."""
    first_time_ms: int | None = None
    """Unix milliseconds of the earliest interaction."""
    last_time_ms: int | None = None
    """Unix milliseconds of the latest interaction."""

    @property
    def rejected(self) -> int:
        """How many rows were refused in all."""
        return self.rows_rejected.total()

    def __str__(self) -> str:
        lines = list(self.notes)
        lines += [f"{name}: {count:,} rows read" for name, count in self.rows_read.items()]
        lines += [
            f"{name}: {count:,} rows rejected: {reason}"
            for (name, reason), count in sorted(self.rows_rejected.items())
        ]
        lines += [
            f"{name}: {count:,} rows replaced by a later row with the same id"
            for name, count in self.replaced_rows.items()
        ]
        lines += [
            f"{name}: columns ignored: {', '.join(columns)}"
            for name, columns in self.ignored_columns.items()
        ]
        done = {
            "byte-equal duplicate interactions removed": self.duplicate_rows_removed,
            "interactions with a label but neither action nor rating, read as a view": (
                self.labels_without_action
            ),
            "items made for interactions that name unknown ones": self.items_made,
            "users made for interactions that name unknown ones": self.users_made,
            "items without any text": self.items_without_text,
            "texts with damaged encoding repaired": self.texts_with_encoding_repaired,
            "texts with HTML removed": self.texts_with_html_removed,
            "texts shortened": self.texts_shortened,
        }
        lines += [f"{count:,} {what}" for what, count in done.items() if count]
        lines += self._suspicious()
        lines += [f"{count:,} {what} removed, as asked" for what, count in self.removed.items()]
        if self.first_time_ms is not None and self.last_time_ms is not None:
            lines.append(f"from {_day(self.first_time_ms)} to {_day(self.last_time_ms)}")
        return "\n".join(lines)

    def _suspicious(self) -> list[str]:
        lines = []
        if self.times_are_dates:
            lines.append("times are dates: within a day, interactions are in the order of the file")
        if self.bot_like_users:
            lines.append(
                f"{self.bot_like_users:,} bot-like users with {self.bot_like_events:,} interactions"
            )
        lines += [
            f"{count:,} interactions at impossible times: {reason}"
            for reason, count in self.impossible_times.items()
        ]
        return lines


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).date().isoformat()


class RejectLog:
    """The refused rows of every file, written at the end or not at all."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, int, str, str]] = []

    def add(self, file: str, row: int, reason: str, raw: str) -> None:
        """Add one row as it was written."""
        if len(self._lines) < MAX_ROWS_WRITTEN:
            self._lines.append((file, row, reason, raw[:MAX_RAW_CHARACTERS]))

    def add_cells(
        self, file: str, rows: npt.NDArray[np.int64], reasons: Sequence[str], cells: pa.Table
    ) -> None:
        """Add rows by their cells; `cells` holds these rows alone."""
        columns = [cells.column(i).to_pylist() for i in range(cells.num_columns)]
        for row, reason, *values in zip(rows.tolist(), reasons, *columns, strict=True):
            raw = ",".join("" if value is None else str(value) for value in values)
            self.add(file, row, reason, raw)

    def write(self, path: Path) -> None:
        """Write all rows as CSV with the columns file, row, reason, raw; whole or not at all."""
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(("file", "row", "reason", "raw"))
                writer.writerows(sorted(self._lines))
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise DatasetError(path, f"cannot write the rejects: {error.strerror}") from error
