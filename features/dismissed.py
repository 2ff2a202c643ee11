"""What a user asked not to see, and what is nearly the same."""

from collections.abc import Iterable

from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import HistoryEvent


def dismissed_items(history: Iterable[HistoryEvent]) -> list[str]:
    """Return the items of which the newest event is that the user asked not to see them."""
    last_action = {event.item_id: event.action for event in history}
    return [i for i, action in last_action.items() if action == event_pb2.ACTION_DISMISS]
