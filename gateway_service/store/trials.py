"""What became of new items where they stood for exploration."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from gateway_service.store.dialect import insert_or_add
from gateway_service.store.schema import trials
from tandem.v1.ranking_service_pb2 import ItemTrial


def read_trials(connection: Connection) -> dict[str, ItemTrial]:
    """Return the trials of every item that had any."""
    return {
        row.item_id: ItemTrial(
            item_id=row.item_id, shown_count=row.shown_count, taken_count=row.taken_count
        )
        for row in connection.execute(select(trials))
    }


def add_trials(connection: Connection, shown: Iterable[str], taken: Iterable[str]) -> None:
    """Count items that were shown for exploration, and such that were taken then."""
    rows = [{"item_id": i, "shown_count": 1, "taken_count": 0} for i in shown]
    rows += [{"item_id": i, "shown_count": 0, "taken_count": 1} for i in taken]
    for row in rows:
        connection.execute(insert_or_add(connection, trials, "shown_count", "taken_count"), [row])
