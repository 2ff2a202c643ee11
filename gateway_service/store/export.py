"""What was logged, page by page: events and answers, as training reads them."""

from sqlalchemy import Connection, select, tuple_

from gateway_service.store.logged import logged_event
from gateway_service.store.schema import events, friends, impressions, users
from tandem.v1.event_service_pb2 import KnownFriends, KnownProfile
from tandem.v1.impression_pb2 import Impression, LoggedEvent
from tandem.v1.user_pb2 import Friend, UserProfile

EVENTS_PAGE = 1_000
IMPRESSIONS_PAGE = 100
PROFILES_PAGE = 1_000
FRIENDS_PAGE = 10_000


def events_page(connection: Connection, after: int, since_us: int) -> tuple[list[LoggedEvent], int]:
    """Return the next events received since a time, and the sequence of the last one."""
    query = (
        select(events)
        .where(events.c.sequence > after, events.c.received_time_us >= since_us)
        .order_by(events.c.sequence)
        .limit(EVENTS_PAGE)
    )
    rows = connection.execute(query).all()
    return [logged_event(row) for row in rows], rows[-1].sequence if rows else after


def impressions_page(
    connection: Connection, after: tuple[int, bytes]
) -> tuple[list[Impression], tuple[int, bytes]]:
    """Return the answers logged after one, by its time and id, and the same of the last one."""
    order = (impressions.c.logged_time_us, impressions.c.impression_id)
    query = (
        select(*order, impressions.c.content)
        .where(tuple_(*order) > after)
        .order_by(*order)
        .limit(IMPRESSIONS_PAGE)
    )
    rows = connection.execute(query).all()
    last = (rows[-1].logged_time_us, rows[-1].impression_id) if rows else after
    return [Impression.FromString(row.content) for row in rows], last


def profiles_page(connection: Connection, after: str) -> tuple[list[KnownProfile], str]:
    """Return the profiles of the next users by id, and the id of the last one."""
    query = (
        select(users.c.user_id, users.c.profile)
        .where(users.c.user_id > after, users.c.profile.is_not(None))
        .order_by(users.c.user_id)
        .limit(PROFILES_PAGE)
    )
    rows = connection.execute(query).all()
    found = [
        KnownProfile(user_id=row.user_id, profile=UserProfile.FromString(row.profile))
        for row in rows
    ]
    return found, rows[-1].user_id if rows else after


def friends_page(
    connection: Connection, after: tuple[str, str]
) -> tuple[list[KnownFriends], tuple[str, str]]:
    """Return the entries of lists of friends after one, by both ids, and those of the last one.

    A list that is longer than a page is told in parts.
    """
    order = (friends.c.user_id, friends.c.friend_id)
    query = (
        select(*order, friends.c.weight)
        .where(tuple_(*order) > after)
        .order_by(*order)
        .limit(FRIENDS_PAGE)
    )
    rows = connection.execute(query).all()
    found: list[KnownFriends] = []
    for row in rows:
        if not found or found[-1].user_id != row.user_id:
            found.append(KnownFriends(user_id=row.user_id))
        found[-1].friends.append(Friend(user_id=row.friend_id, weight=row.weight))
    return found, (rows[-1].user_id, rows[-1].friend_id) if rows else after
