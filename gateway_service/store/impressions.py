"""Answers that were given, as they were logged."""

from sqlalchemy import Connection, delete, insert

from gateway_service.store.schema import impressions
from gateway_service.store.trials import add_trials
from tandem.v1.impression_pb2 import Impression


def log_impression(connection: Connection, impression: Impression, now_us: int) -> None:
    """Store what an answer showed."""
    connection.execute(
        insert(impressions),
        [
            {
                "impression_id": impression.impression_id,
                "user_id": impression.user_id,
                "request_id": impression.request_id,
                "release_id": impression.release_id,
                "logged_time_us": now_us,
                "content": impression.SerializeToString(),
            }
        ],
    )
    add_trials(connection, (i.item_id for i in impression.items if i.propensity < 1), ())


def forget_impressions(connection: Connection, before_us: int) -> int:
    """Delete what was logged before a time; return how many answers that were."""
    old = delete(impressions).where(impressions.c.logged_time_us < before_us)
    return connection.execute(old).rowcount
