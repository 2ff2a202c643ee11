"""Whom users count among their friends, and what these used lately."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Connection,
    String,
    Subquery,
    bindparam,
    delete,
    insert,
    literal,
    select,
    union_all,
)

from features.friends import FRIENDS_ASKED, USES_EACH, weigh_uses
from features.history import weights_of_actions
from gateway_service.store.profiles import raise_versions, read_version
from gateway_service.store.schema import events, friends, sharing
from tandem.v1.common_pb2 import ItemCount
from tandem.v1.event_pb2 import Action
from tandem.v1.user_pb2 import Friend

_WEIGHTS = weights_of_actions(np.array(Action.values()))
# What does not speak for an item is not counted among the newest.
_OTHERS = [a for a, weight in zip(Action.values(), _WEIGHTS, strict=True) if weight <= 0]


def put_friends(connection: Connection, user_id: str, listed: Sequence[Friend], now_us: int) -> int:
    """Replace a user's list of friends; return the new state version."""
    raise_versions(connection, [user_id], now_us)
    connection.execute(delete(friends).where(friends.c.user_id == user_id))
    rows = [
        {
            "user_id": user_id,
            "friend_id": friend.user_id,
            "weight": friend.weight or 1.0,
            "put_time_us": now_us,
        }
        for friend in listed
    ]
    if rows:
        connection.execute(insert(friends), rows)
    return read_version(connection, user_id)


def read_friends(connection: Connection, user_id: str) -> list[Friend]:
    """Return a user's list of friends, greatest weight first."""
    query = select(friends.c.friend_id, friends.c.weight).where(friends.c.user_id == user_id)
    rows = connection.execute(query.order_by(friends.c.weight.desc(), friends.c.friend_id))
    return [Friend(user_id=row.friend_id, weight=row.weight) for row in rows]


def read_friends_items(connection: Connection, user_id: str, before_us: int) -> list[ItemCount]:
    """Return what a user's friends used before a time, of those who share it, weightiest first."""
    asked = connection.execute(
        select(friends.c.friend_id, friends.c.weight)
        .join(sharing, sharing.c.user_id == friends.c.friend_id)
        .where(friends.c.user_id == user_id)
        .order_by(friends.c.weight.desc(), friends.c.friend_id)
        .limit(FRIENDS_ASKED)
    ).all()
    if not asked:
        return []
    values = {f"friend_{place}": friend.friend_id for place, friend in enumerate(asked)}
    uses = connection.execute(_uses_of(len(asked)), {**values, "before_us": before_us}).all()
    if not uses:
        return []
    of_friend, item_ids, actions, times_us = map(list, zip(*uses, strict=True))
    codes: dict[str, int] = {}
    closeness = np.array([friend.weight for friend in asked])
    found = weigh_uses(
        [codes.setdefault(item_id, len(codes)) for item_id in item_ids],
        of_friend,
        closeness[of_friend],
        actions,
        (before_us - np.array(times_us, np.int64)) / 1_000,
    )
    distinct = list(codes)
    return [
        ItemCount(item_id=distinct[code], count=weight)
        for code, weight in zip(found.items.tolist(), found.weights.tolist(), strict=True)
    ]


@lru_cache(FRIENDS_ASKED)
def _uses_of(count: int) -> CompoundSelect[tuple[int, str, int, int]]:
    """Return the query for the newest uses of so many friends: one query, and an index for each."""
    return union_all(*(select(_uses_of_one(place)) for place in range(count)))


def _uses_of_one(place: int) -> Subquery:
    return (
        select(
            literal(place).label("friend"),
            events.c.item_id,
            events.c.action,
            events.c.event_time_us,
        )
        .where(
            events.c.user_id == bindparam(f"friend_{place}", type_=String),
            events.c.is_impression.is_(False),
            *(events.c.action != action for action in _OTHERS),
            events.c.event_time_us < bindparam("before_us", type_=BigInteger),
        )
        # Events of the same time keep the order in which they came.
        .order_by(events.c.event_time_us.desc(), events.c.sequence.desc())
        .limit(USES_EACH)
        .subquery()
    )
