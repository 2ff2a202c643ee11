"""The rows of one table on their way through the checks."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from training.datasets import cells
from training.datasets.cells import Ids, Mask
from training.datasets.errors import DatasetError
from training.datasets.report import MAX_ROWS_WRITTEN, CleaningReport, RejectLog
from training.datasets.tables import RawTable

LAST_TIME_MS = 4_102_444_800_000 - 1  # the end of the year 2099
Float64 = npt.NDArray[np.float64]


class RowCheck:
    """Which rows can be used, and why the others cannot: the first reason found counts."""

    def __init__(self, table: RawTable) -> None:
        self._table = table
        self._reasons: list[str] = []
        self._reason_codes = np.full(table.cells.num_rows, -1, dtype=np.int16)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column, or nulls where the table has none of that name."""
        if name in self._table.cells.column_names:
            return self._table.cells.column(name)
        return pa.chunked_array([pa.nulls(self._table.cells.num_rows, pa.string())])

    @cached_property
    def _unknown(self) -> Float64:
        unknown = np.full(self._table.cells.num_rows, np.nan)
        unknown.flags.writeable = False
        return unknown

    @property
    def kept(self) -> Mask:
        """Mask of the rows that nothing spoke against so far."""
        kept: Mask = self._reason_codes < 0
        return kept

    def reject(self, mask: Mask, reason: str) -> None:
        """Refuse the rows of the mask."""
        if mask.any():
            self._reason_codes[mask & self.kept] = len(self._reasons)
            self._reasons.append(reason)

    def ids(self, name: str) -> Ids:
        """Check a column of ids."""
        found = cells.ids(self.column(name))
        self.reject(found.missing, f"{name} is missing")
        self.reject(found.too_long, f"{name} is longer than {cells.MAX_ID_BYTES} bytes")
        self.reject(found.control, f"{name} holds a control character")
        return found

    def words(self, name: str, allowed: tuple[str, ...]) -> npt.NDArray[np.int8]:
        """Return the position of each word in `allowed`, -1 where unknown, -2 for other words."""
        if name not in self._table.cells.column_names:
            return np.full(self._table.cells.num_rows, -1, dtype=np.int8)
        return cells.words(self.column(name), allowed)

    def numbers(self, name: str, lowest: float = -np.inf, highest: float = np.inf) -> Float64:
        """Check a column of numbers within a closed range; NaN where unknown.

        Columns that the table lacks share one array, which is read-only.
        """
        if name not in self._table.cells.column_names:
            return self._unknown
        values, bad = cells.numbers(self.column(name))
        self.reject(bad, f"{name} is not a finite number")
        self.reject((values < lowest) | (values > highest), f"{name} is out of range")
        return values

    def times(self, name: str) -> npt.NDArray[np.int64]:
        """Check a column of times; return Unix milliseconds."""
        times, unknown, bad = cells.times(self.column(name))
        self.reject(unknown, f"{name} is missing")
        self.reject(bad, f"{name} is neither Unix seconds, nor milliseconds, nor ISO 8601")
        self.reject((times < 0) | (times > LAST_TIME_MS), f"{name} is not between 1970 and 2099")
        return times

    def place(self) -> tuple[Float64, Float64]:
        """Check the columns lat and lon, in degrees; both or neither are known."""
        lat = self.numbers("lat", -90.0, 90.0)
        lon = self.numbers("lon", -180.0, 180.0)
        self.reject(np.isnan(lat) != np.isnan(lon), "of lat and lon only one is given")
        return lat, lon

    def finish(self, report: CleaningReport, log: RejectLog) -> Mask:
        """Count and log what was refused; raise DatasetError if no row is left of some."""
        name = self._table.file.name
        ragged = self._table.ragged
        report.rows_read[name] = len(self._reason_codes) + len(ragged)
        for row in ragged:
            report.rows_rejected[name, row.reason] += 1
            log.add(name, row.row, row.reason, row.raw)
        refused = np.flatnonzero(~self.kept)
        if refused.size:
            codes = self._reason_codes[refused]
            for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
                report.rows_rejected[name, self._reasons[code]] += int(count)
            refused, codes = refused[:MAX_ROWS_WRITTEN], codes[:MAX_ROWS_WRITTEN]
            rows = self._table.rows[refused]
            reasons = [self._reasons[code] for code in codes.tolist()]
            log.add_cells(name, rows, reasons, self._table.cells.take(pa.array(refused)))
        if report.rows_read[name] and not self.kept.any():
            first = ragged[0].row if ragged else int(self._table.rows[0])
            reason = ragged[0].reason if ragged else self._reasons[self._reason_codes[0]]
            raise DatasetError(
                self._table.file, f"no row can be used; the first: {reason}", row=first
            )
        return self.kept


def rows_among(ids: Ids, known: "pd.Series[str]") -> npt.NDArray[np.int32]:
    """Return the row of each id among those known, int32 [rows], -1 where there is none."""
    by_code = pd.Index(known).get_indexer(pd.Index(ids.values, dtype="str"))
    return np.asarray(by_code[ids.codes], np.int32)
