"""The one error of reading a data set."""

from pathlib import Path


class DatasetError(Exception):
    """A data set cannot be read at all; names the file and, where known, row and column.

    Rows are counted as records from 1, the header being the first where there is one.
    """

    def __init__(
        self, file: Path | str, problem: str, *, row: int | None = None, column: str | None = None
    ) -> None:
        self.file = str(file)
        self.problem = problem
        self.row = row
        self.column = column
        where = self.file
        if row is not None:
            where += f", row {row}"
        if column is not None:
            where += f", column {column}"
        super().__init__(f"{where}: {problem}")
