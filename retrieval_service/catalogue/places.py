"""Where items are, as an array that follows the catalogue."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.places import unit_vectors
from tandem.v1.item_pb2 import Item

ROOM_LEAST = 1_024


class Places:
    """The places of all items that have one: looking at all of them is a matrix product.

    item_ids: by row of `points`; a row that is free has "" and a point that is near nothing.
    """

    def __init__(self) -> None:
        self.item_ids: list[str] = []
        self._row_by_id: dict[str, int] = {}
        self._free: list[int] = []
        self._points = np.full((ROOM_LEAST, 3), np.nan)

    def __len__(self) -> int:
        return len(self._row_by_id)

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """Unit vectors, float64 [rows, 3], NaN where a row is free."""
        return self._points[: len(self.item_ids)]

    def put(self, item: Item) -> None:
        """Note an item as it is now."""
        if not item.HasField("place"):
            self.remove(item.item_id)
            return
        row = self._row_by_id.get(item.item_id)
        if row is None:
            row = self._row_by_id[item.item_id] = self._new_row(item.item_id)
        place = item.place
        degrees = np.array([[place.latitude], [place.longitude]], np.float32)
        self._points[row] = unit_vectors(*degrees)[0]

    def remove(self, item_id: str) -> None:
        """Forget an item, if it is known."""
        row = self._row_by_id.pop(item_id, None)
        if row is not None:
            self.item_ids[row] = ""
            self._points[row] = np.nan
            self._free.append(row)

    def ids_of(self, rows: Sequence[int]) -> list[str]:
        """Return the items of rows."""
        return [self.item_ids[row] for row in rows]

    def _new_row(self, item_id: str) -> int:
        if self._free:
            row = self._free.pop()
            self.item_ids[row] = item_id
            return row
        self.item_ids.append(item_id)
        if len(self.item_ids) > len(self._points):
            more = np.full_like(self._points, np.nan)
            self._points = np.concatenate([self._points, more])
        return len(self.item_ids) - 1
