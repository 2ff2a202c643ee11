"""Which of some items are nearly the same as what the user asked not to see."""

from collections.abc import Sequence

import numpy as np

from features.dismissed import dismissed_items
from features.near_duplicates import near_duplicates
from retrieval_service.catalogue.vectors import Vectors
from retrieval_service.catalogue.view import View
from retrieval_service.overrides import joined_texts, present_vectors
from retrieval_service.release import LoadedRelease
from tandem.v1.user_pb2 import UserState


async def near_dismissed(
    loaded: LoadedRelease, view: View, vectors: Vectors, user: UserState, item_ids: Sequence[str]
) -> frozenset[str]:
    """Return the items whose text is nearly that of an item that the user dismissed last."""
    dismissed = dismissed_items(user.history)
    if not dismissed or not item_ids:
        return frozenset()
    changed = await present_vectors(loaded, view, vectors, {*item_ids, *dismissed})
    texts = (joined_texts(loaded, some, changed) for some in (item_ids, dismissed))
    near = near_duplicates(*texts).any(axis=1)
    return frozenset(np.array(item_ids, object)[near].tolist())
