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
        self._liked = set(rows[used].tolist())
        self._best = self._best_of_alike()

    def _best_of_alike(self) -> npt.NDArray[np.intp]:
        """Return which link counts most of those to one entity by one relation, in their order."""
        alike = (self._far, self._kinds, self._shared)
        order = np.lexsort((-self._counts, *alike))
        first = np.ones(len(order), np.bool_)
        first[1:] = np.logical_or.reduce([np.diff(each[order]) != 0 for each in alike])
        return np.sort(order[first])

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
        # No item is linked with itself.
        links = np.flatnonzero(self._rows != row) if row in self._liked else self._best
        of_links, of_shared = np.nonzero(self._shared[links][:, None] == shared)
        if not len(of_links):
            return None
        links = links[of_links]
        plain = (self._kinds[links] == kinds[of_shared]) & ~self._far[links] & ~far[of_shared]
        counts = self._counts[links] * entities.strength(shared, kinds, far)[of_shared]
        best = int(np.argmax(counts * np.where(plain, 1.0, LESS_PLAIN)))
        if counts[best] <= 0:
            return None
        mine, theirs = int(links[best]), int(of_shared[best])
        liked, entity = self._item_ids[int(self._places[mine])], int(shared[theirs])
        ends = (liked, item_id) if entities.scopes[entity] == AN_ITEM else ()
        with_each_other = entities.names[entity] in ends
        told = with_each_other or bool(plain[best])
        return Reason(
            kind=ReasonKind.REASON_KIND_SHARED_ENTITY,
            item_id=liked,
            weight=weight,
            relation=entities.relations[int(kinds[theirs])] if told else "",
            entity="" if with_each_other else entities.shown[entity],
        )
