"""The gateway's SQLite as users grow: reading a state, recording an event, friends, start, memory.

Users are made up, each with 10 events among 100,000 items and 8 friends, all of whom share.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from features.ids import item_hash
from gateway_service.attribution import Tokens
from gateway_service.store.database import Database
from gateway_service.store.events import event_rows, record_events, signed
from gateway_service.store.friends import read_friends_items
from gateway_service.store.schema import events, friends, sharing, users
from gateway_service.store.user_state import read_user_state
from gateway_service.store.uses import uses_after
from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem.v1.user_pb2 import UserProfile
from tandem_cli.stack.ports import LOOPBACK, free_port
from tandem_cli.stack.process import ManagedProcess
from tandem_cli.stack.record import Part, start_ticks
from tandem_client import AsyncTandemClient

EVENTS_EACH = 10
FRIENDS_EACH = 8
ITEMS = 100_000
USERS_AT_ONCE = 10_000
NOW_US = 1_760_000_000_000_000
SPAN_US = 180 * 86_400_000_000
READS = 500
WRITES = 100
MIB = 1 << 20
# A gateway reads, once for each release that it holds, what was used since the release learned.
RELEASES = {"trained_now": NOW_US, "trained_before_all": 0}


def main() -> None:
    """Measure one size, and print the result as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(Path(folder), arguments.users))))


async def measure(folder: Path, count: int) -> dict[str, Any]:
    """Fill a database, use it, and start a gateway on it."""
    url = f"sqlite:///{folder}/users.db"
    database = Database(url)
    start = time.monotonic()
    random = np.random.default_rng(7)
    for first in range(0, count, USERS_AT_ONCE):
        some = range(first, min(first + USERS_AT_ONCE, count))
        await database.write(partial(_fill, some=some, count=count, random=random))
    filled = time.monotonic() - start
    ids = [f"u{user}" for user in random.integers(0, count, READS).tolist()]
    tokens = Tokens([bytes(32)])

    async def read(user_id: str) -> None:
        await database.read(lambda connection: read_user_state(connection, user_id, NOW_US))

    async def ask_friends(user_id: str) -> None:
        await database.read(lambda connection: read_friends_items(connection, user_id, NOW_US))

    async def record(user_id: str) -> None:
        event = Event(user_id=user_id, item_id="i1", action=event_pb2.ACTION_LIKE)
        event.event_id = f"new-{user_id}-{time.monotonic_ns()}"
        rows = event_rows([event], NOW_US, tokens)
        await database.write(lambda connection: record_events(connection, rows))

    told = {
        "read_state_ms": await _timed(read, ids),
        "friends_ms": await _timed(ask_friends, ids),
        "record_event_ms": await _timed(record, ids[:WRITES]),
    }
    counted = {name: await _count(database, since) for name, since in RELEASES.items()}
    await asyncio.to_thread(database.close)
    size = sum(file.stat().st_size for file in folder.glob("users.db*"))  # noqa: ASYNC240
    return {
        "users": count,
        "events": count * EVENTS_EACH,
        "fill_s": round(filled, 1),
        "file_mib": round(size / MIB, 1),
        **told,
        "count_uses_s": counted,
        "gateway": await _gateway(folder, url),
    }


def _fill(connection: Connection, some: range, count: int, random: np.random.Generator) -> None:
    """Insert users with what they did, as the gateway's own functions would leave them."""
    profile = UserProfile(text="slow films", friends_enabled=True).SerializeToString()
    rows = [{"user_id": f"u{user}", "version": 1, "profile": profile} for user in some]
    connection.execute(insert(users), rows)
    connection.execute(insert(sharing), [{"user_id": f"u{user}"} for user in some])
    others = random.integers(0, count, (len(some), FRIENDS_EACH))
    known = [
        {"user_id": f"u{user}", "friend_id": f"u{friend}", "weight": 1.0, "put_time_us": 1}
        for user, row in zip(some, others.tolist(), strict=True)
        for friend in set(row) - {user}
    ]
    connection.execute(insert(friends), known)
    items = random.integers(0, ITEMS, (len(some), EVENTS_EACH)).tolist()
    times = (NOW_US - random.integers(0, SPAN_US, (len(some), EVENTS_EACH))).tolist()
    did = [
        {
            "event_id": f"u{user}-{number}",
            "user_id": f"u{user}",
            "item_id": f"i{item}",
            "item_hash": signed(item_hash(f"i{item}")),
            "action": event_pb2.ACTION_LIKE,
            "is_impression": False,
            "event_time_us": when,
            "received_time_us": when,
        }
        for user, own, then in zip(some, items, times, strict=True)
        for number, (item, when) in enumerate(zip(own, then, strict=True))
    ]
    connection.execute(insert(events), did)


async def _count(database: Database, since_us: int) -> float:
    """Return how long a gateway reads what was used since a time, before it is ready."""
    start = time.monotonic()
    after, last = -1, 0
    while last > after:
        after = last
        _, last = await database.read(partial(uses_after, sequence=after, since_us=since_us))
    return round(time.monotonic() - start, 2)


async def _timed(work: Callable[[str], Awaitable[None]], ids: list[str]) -> dict[str, float]:
    """Return percentiles of the time of each call, one after the other."""
    seconds = []
    for user_id in ids:
        before = time.perf_counter()
        await work(user_id)
        seconds.append(time.perf_counter() - before)
    p50, p99 = np.percentile(np.array(seconds) * 1_000, [50, 99]).tolist()
    return {"p50": round(p50, 3), "p99": round(p99, 3), "calls": len(seconds)}


async def _gateway(folder: Path, url: str) -> dict[str, float]:
    """Return how long a gateway takes to start on the database, and its memory then."""
    port = free_port()
    settings = {
        "PORT": str(port),
        "DATABASE_URL": url,
        "AUDIT_FILE": str(folder / "audit.jsonl"),
    }
    process = ManagedProcess(
        "gateway",
        [sys.executable, "-m", "gateway_service"],
        log_file=folder / "gateway.log",
        env={f"TANDEM_GATEWAY_{name}": value for name, value in settings.items()},
    )
    start = time.monotonic()
    process.start()

    async def answers() -> bool:
        async with AsyncTandemClient(f"{LOOPBACK}:{port}") as client:
            return (await client.get_user_state("u1", timeout_s=5)).user.version > 0

    try:
        while True:
            try:
                if await answers():
                    break
            except Exception:  # it does not listen yet
                await asyncio.sleep(0.05)
        took = time.monotonic() - start
        memory = Part("gateway", process.pid, start_ticks(process.pid), "", "").memory_bytes()
    finally:
        await process.stop()
    return {"start_s": round(took, 2), "memory_mib": round(memory / MIB, 1)}


if __name__ == "__main__":
    main()
