"""Some rows of a table, found again in long lists of rows, whatever the size of the table."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.integer]


class WantedRows:
    """n wanted rows of a table of so many items; -1 stands for none, and is never found."""

    def __init__(self, rows: Rows, items: int) -> None:
        # The last entry is where -1 leads. Of `place`, only what is wanted is ever read.
        self._there = np.zeros(items + 1, np.bool_)
        self._there[rows] = True
        self._there[-1] = False
        self._place = np.empty(items + 1, np.int32)
        self._place[rows] = np.arange(len(rows))
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def one_of_equals(self) -> npt.NDArray[np.int32]:
        """Where of equal rows the one is that `among` gives, int32 [n]."""
        return self._place[self._rows]

    def among(self, rows: Rows) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
        """Return at which places of a list there are wanted rows, and which of the n each is.

        A list of several dimensions counts as one after the other.
        """
        flat = rows.reshape(-1)
        hits = np.flatnonzero(self._there[flat])
        return hits, self._place[flat[hits]]
