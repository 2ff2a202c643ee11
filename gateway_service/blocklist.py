"""The items that must not be in an answer."""

from collections.abc import Iterable

from features.dismissed import dismissed_items
from features.ids import item_hash
from tandem.v1.user_pb2 import UserState


class Blocklist:
    """Items seen, unless people return to them; items dismissed last; items the caller excludes.

    dismissed_item_ids: what is nearly the same as one of these is to stay away, too.
    """

    def __init__(self, user: UserState, excluded_item_ids: Iterable[str], *, repeat: bool) -> None:
        # Where seen items may come again, those that the user asked not to see still must not.
        self.dismissed_item_ids = dismissed_items(user.history)
        shut_out = self.dismissed_item_ids if repeat else ()
        self.excluded_item_ids = frozenset((*excluded_item_ids, *shut_out))
        self._seen = frozenset(() if repeat else user.seen.item_hashes)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self.excluded_item_ids or item_hash(item_id) in self._seen
