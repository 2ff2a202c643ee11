"""A real gateway on a real SQLite file, with fakes behind it."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway_service.parts import SERVICES, gateway_parts
from gateway_service.settings import Settings
from serving.server import running_server
from tandem.v1.item_pb2 import Item
from tandem_client import AsyncTandemClient
from tests.support.fakes import FakeRanking, FakeRetrieval, Part, running_part
from tests.support.release import write_small_release

ITEM_IDS = [f"item-{number:03}" for number in range(60)]
# The release's fallback list: other items than retrieval finds first, in another order.
FALLBACK_IDS = ITEM_IDS[59:29:-1]


def catalogue() -> list[Item]:
    return [
        Item(
            item_id=item_id,
            title=f"Title of {item_id}",
            categories=["even" if n % 2 == 0 else "odd"],
        )
        for n, item_id in enumerate(ITEM_IDS)
    ]


@dataclass
class World:
    """What a test of the gateway works with."""

    client: AsyncTandemClient
    target: str
    settings: Settings
    retrieval: FakeRetrieval
    ranking: FakeRanking
    retrieval_part: Part
    ranking_part: Part
    directory: Path

    def release(
        self,
        release_id: str,
        *,
        repeat: bool = False,
        fallback: list[str] | None = None,
        newest_event_ms: int = 0,
        friends: bool = True,
    ) -> str:
        """Write a release and return its directory."""
        directory = self.directory / release_id
        fallback = FALLBACK_IDS if fallback is None else fallback
        written = write_small_release(
            directory,
            release_id,
            ITEM_IDS,
            fallback,
            repeat=repeat,
            newest_event_ms=newest_event_ms,
            friends=friends,
        )
        return str(written)

    async def activate(
        self, release_id: str, *, repeat: bool = False, newest_event_ms: int = 0
    ) -> None:
        """Write a release and activate it."""
        uri = self.release(release_id, repeat=repeat, newest_event_ms=newest_event_ms)
        steps = [step async for step in self.client.activate_release(uri, timeout_s=20)]
        assert steps[-1].activated


@asynccontextmanager
async def running_world(directory: Path, **settings: object) -> AsyncIterator[World]:
    """Run a gateway; its release is not activated yet."""
    retrieval, ranking = FakeRetrieval(catalogue()), FakeRanking()
    async with running_part(retrieval) as retrieval_part, running_part(ranking) as ranking_part:
        values: dict[str, object] = {
            "database_url": f"sqlite:///{directory}/users.db",
            "audit_file": f"{directory}/audit.jsonl",
            "reconcile_interval_s": 0.1,
        } | settings
        chosen = Settings(
            retrieval_target=retrieval_part.target,
            ranking_target=ranking_part.target,
            **values,  # type: ignore[arg-type]
        )
        async with running_gateway(chosen) as (client, target):
            yield World(
                client, target, chosen, retrieval, ranking, retrieval_part, ranking_part, directory
            )


@asynccontextmanager
async def running_gateway(settings: Settings) -> AsyncIterator[tuple[AsyncTandemClient, str]]:
    """Run a gateway in this process."""
    async with running_server("127.0.0.1", 0, SERVICES, gateway_parts(settings)) as port:
        target = f"127.0.0.1:{port}"
        async with AsyncTandemClient(target) as client:
            yield client, target


async def eventually(
    holds: Callable[[], Awaitable[bool]], timeout_s: float = 10.0, poll_s: float = 0.05
) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + timeout_s
    while not await holds():
        assert time.monotonic() < until, "it did not become true in time"
        await asyncio.sleep(poll_s)


def free_port() -> int:
    """Return a port that nobody listens on at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
