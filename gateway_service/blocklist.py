"""The items that must not be in an answer."""

from collections.abc import Iterable

from features.ids import item_hash
from tandem.v1 import event_pb2
from tandem.v1.user_pb2 import UserState


class Blocklist:
    """Items seen, unless people return to them; items dismissed last; items the caller excludes."""

    def __init__(self, user: UserState, excluded_item_ids: Iterable[str], *, repeat: bool) -> None:
        # Where seen items may come again, those that the user asked not to see still must not.
        last_action = {event.item_id: event.action for event in user.history} if repeat else {}
        dismissed = (i for i, action in last_action.items() if action == event_pb2.ACTION_DISMISS)
        self.excluded_item_ids = frozenset((*excluded_item_ids, *dismissed))
        self._seen = frozenset(() if repeat else user.seen.item_hashes)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self.excluded_item_ids or item_hash(item_id) in self._seen
