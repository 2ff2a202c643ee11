"""What was done with which item, in the order of storing, whoever did it."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from gateway_service.store.schema import events

PAGE = 20_000
# A clock that is further ahead is wrong; such an event would count as more than all others.
AHEAD_MOST_US = 86_400_000_000


class Use(NamedTuple):
    """One event. action: a number of `tandem.v1.Action`."""

    item_id: str
    action: int
    event_time_us: int


def uses_after(connection: Connection, sequence: int, since_us: int) -> tuple[list[Use], int]:
    """Return the events stored next after a sequence that happened after a time, and the sequence
    of the last one that was looked at: the same where there is none.
    """
    # A release has learned from most of what is stored; that is passed over by the database.
    newest = connection.scalar(select(func.max(events.c.sequence))) or 0
    query = (
        select(
            events.c.sequence,
            events.c.item_id,
            events.c.action,
            events.c.event_time_us,
        )
        .where(
            events.c.sequence > sequence,
            events.c.sequence <= newest,
            events.c.event_time_us > since_us,
            events.c.event_time_us <= events.c.received_time_us + AHEAD_MOST_US,
        )
        .order_by(events.c.sequence)
        .limit(PAGE)
    )
    rows = connection.execute(query).all()
    uses = [Use(row.item_id, row.action, row.event_time_us) for row in rows]
    if len(uses) == PAGE:
        return uses, rows[-1].sequence
    return uses, max(newest, sequence)
