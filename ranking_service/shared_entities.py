"""What a candidate shares with an item that the user liked, as a fact to be told."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.entities import AN_ITEM, ItemEntities
from tandem.v1.candidate_pb2 import Reason, ReasonKind
from tandem.v1.item_pb2 import Item

# Of what counts the same, what can be told by the name of one relation is told.
LESS_PLAIN = 0.999


class SharedEntities:
    """The links of a user's liked items, to be compared with those of candidates."""

    def __init__(
        self,
        entities: ItemEntities,
        rows: npt.NDArray[np.integer],
        weights: npt.NDArray[np.floating],
        item_ids: Sequence[str],
    ) -> None:
        """rows: of the history in the release, -1 unknown, weights and item_ids: [events] each."""
        self._entities = entities
        self._item_ids = item_ids
        used = np.flatnonzero((weights > 0) & (rows >= 0) & entities.useful)
        links, of = entities.of_rows(rows[used])
        self._places = used[of]
        self._rows = rows[self._places]
        self._shared, self._kinds = entities.entities[links], entities.kinds[links]
        self._far = entities.far[links]
        self._counts = weights[self._places] * entities.strengths[links]

    def reason(self, item_id: str, row: int, new: Item | None, weight: float) -> Reason | None:
        """Return by what a candidate is linked with the liked item that counts most, if any is.

        row: in the release, or -1 for one that it does not hold, which is `new`.
        """
        entities = self._entities
        if row >= 0:
            own = entities.of_row(row)
            shared, kinds, far = entities.entities[own], entities.kinds[own], entities.far[own]
        elif new is not None:
            shared, kinds = entities.links_of(new)
            far = np.zeros(len(shared), np.bool_)
        else:
            return None
        alike = (self._shared[:, None] == shared) & (self._rows != row)[:, None]
        if not alike.any():
            return None
        plain = (self._kinds[:, None] == kinds) & ~self._far[:, None] & ~far
        counts = self._counts[:, None] * entities.strength(shared, kinds, far)
        best = np.argmax(np.where(alike, counts * np.where(plain, 1.0, LESS_PLAIN), -1.0))
        mine, theirs = divmod(int(best), len(shared))
        if counts[mine, theirs] <= 0:
            return None
        liked, entity = self._item_ids[int(self._places[mine])], int(shared[theirs])
        ends = (liked, item_id) if entities.scopes[entity] == AN_ITEM else ()
        with_each_other = entities.names[entity] in ends
        told = with_each_other or bool(plain[mine, theirs])
        return Reason(
            kind=ReasonKind.REASON_KIND_SHARED_ENTITY,
            item_id=liked,
            weight=weight,
            relation=entities.relations[int(kinds[theirs])] if told else "",
            entity="" if with_each_other else entities.shown[entity],
        )
