"""The whole stack on one machine: Triton, Milvus, retrieval, ranking, gateway."""

import asyncio
import itertools
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from tandem_cli.console import say
from tandem_cli.disk import need_free
from tandem_cli.failure import CommandFailed
from tandem_cli.stack.milvus import MilvusLite
from tandem_cli.stack.ports import LOOPBACK, Ports, require_free
from tandem_cli.stack.record import Part, StackRecord, remove_record, start_ticks, write_record
from tandem_cli.stack.services import Service, Startable
from tandem_cli.stack.triton import Triton, TritonSettings

FREE_DISK_MIB = 512
WATCH_S = 0.5
# In looks. A dead encoder is found by asking it, which costs a short inference.
HEAL_EVERY = 8
RESTARTS_MAX = 5
RESTARTS_WITHIN_S = 120.0
STOP_ORDER = (("gateway",), ("retrieval", "ranking"), ("milvus", "triton"))


@dataclass(frozen=True)
class StackSettings:
    """What a stack needs to know.

    state: holds all that must outlive it: databases, the index, stack.json. encoder_dir: an
    encoder directory. milvus_uri: of a Milvus that runs already; empty: Milvus Lite is started.
    policy: a safety policy, None for none. image_encoder_dir: of an image tower, None for none.
    """

    state: Path
    encoder_dir: Path
    ports: Ports = field(default_factory=Ports)
    milvus_uri: str = ""
    policy: Path | None = None
    image_encoder_dir: Path | None = None

    @property
    def log_dir(self) -> Path:
        """Where each part's log is."""
        return self.state.parent / "log"


class Stack:
    """Starts, watches and stops the parts. Use it from the main thread's event loop."""

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        ports, state, log_dir = settings.ports, settings.state.absolute(), settings.log_dir
        self.triton = Triton(
            TritonSettings(
                encoder_dir=settings.encoder_dir,
                http_port=ports.triton_http,
                grpc_port=ports.triton_grpc,
                metrics_port=ports.triton_metrics,
                log_file=log_dir / "triton.log",
                image_encoder_dir=settings.image_encoder_dir,
            )
        )
        self.milvus = (
            None
            if settings.milvus_uri
            else MilvusLite(state / "milvus", ports.milvus, log_dir / "milvus.log")
        )
        policy = {"policy_file": settings.policy.absolute()} if settings.policy else {}
        milvus_uri = settings.milvus_uri or f"http://{LOOPBACK}:{ports.milvus}"
        self.retrieval = Service(
            "retrieval",
            ports.retrieval,
            {
                "milvus_uri": milvus_uri,
                "triton_target": self.triton.settings.target,
                "database_url": f"sqlite:///{state / 'retrieval' / 'catalogue.db'}",
                "audit_file": state / "retrieval" / "audit.jsonl",
                **policy,
            },
            log_dir,
        )
        self.ranking = Service("ranking", ports.ranking, {}, log_dir)
        self.gateway = Service(
            "gateway",
            ports.gateway,
            {
                "retrieval_target": self.retrieval.target,
                "ranking_target": self.ranking.target,
                "database_url": f"sqlite:///{state / 'gateway' / 'users.db'}",
                "audit_file": state / "gateway" / "audit.jsonl",
                **policy,
            },
            log_dir,
        )
        self._started: dict[str, Startable] = {}
        self._ready = False

    async def start(self) -> None:
        """Start all parts, side by side where they do not need each other.

        Raises CommandFailed. `stop` ends what was started until then.
        """
        settings = self.settings
        for name, port in vars(settings.ports).items():
            if name != "milvus" or self.milvus is not None:
                require_free(port, name.replace("_", " "))
        need_free(settings.state, FREE_DISK_MIB, "the stack")
        for directory in ("gateway", "retrieval", "milvus"):
            (settings.state / directory).mkdir(parents=True, exist_ok=True)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._start_part("triton", self.triton))
                tasks.create_task(self._start_index())
                tasks.create_task(self._start_part("ranking", self.ranking))
        except* CommandFailed as failures:
            raise CommandFailed("\n".join(map(str, failures.exceptions))) from failures
        # Last: what it calls answers at once, so that none of its connections has to back off.
        await self._start_part("gateway", self.gateway)

    async def watch(self) -> None:
        """Start parts that ended again, forever. Raises CommandFailed if one ends all the time."""
        restarts: list[float] = []
        for look in itertools.count(1):
            await asyncio.sleep(WATCH_S)
            if look % HEAL_EVERY == 0:
                await self._heal_triton()
            for name, part in list(self._started.items()):
                if part.process.running:
                    continue
                say(f"{part.process.failure(f'ended with status {part.process.exit_status}')}")
                now = time.monotonic()
                restarts = [at for at in restarts if now - at < RESTARTS_WITHIN_S] + [now]
                if len(restarts) > RESTARTS_MAX:
                    raise CommandFailed(f"{name} ended too often; giving up")
                await part.stop()
                try:
                    await self._start_part(name, part)
                except CommandFailed as failure:
                    say(str(failure))

    async def _heal_triton(self) -> None:
        """Load models anew whose processes died inside a Triton that goes on."""
        if "triton" not in self._started or not self.triton.process.running:
            return
        try:
            for model in await self.triton.heal():
                say(f"the process of {model} had died; it is loaded anew")
        except CommandFailed as failure:
            say(str(failure))

    async def stop(self) -> None:
        """Stop all parts, each before those that it calls."""
        for names in STOP_ORDER:
            parts = [(name, self._started.pop(name)) for name in names if name in self._started]
            await asyncio.gather(*(part.stop() for _, part in parts))
            for name, _ in parts:
                say(f"  {name} stopped")
        remove_record(self.settings.state)

    def mark_ready(self) -> None:
        """Write down that the stack serves."""
        self._ready = True
        self._write_record()

    async def _start_index(self) -> None:
        if self.milvus is not None:
            await self._start_part("milvus", self.milvus)
        await self._start_part("retrieval", self.retrieval)

    async def _start_part(self, name: str, part: Startable) -> None:
        begin = time.monotonic()
        await part.start()
        self._started[name] = part
        self._write_record()
        say(f"  {name} is up after {time.monotonic() - begin:.1f} s ({self._addresses[name]})")

    @property
    def _addresses(self) -> dict[str, str]:
        return {
            "triton": self.triton.settings.target,
            "milvus": f"{LOOPBACK}:{self.settings.ports.milvus}",
            "retrieval": self.retrieval.target,
            "ranking": self.ranking.target,
            "gateway": self.gateway.target,
        }

    def _write_record(self) -> None:
        me = os.getpid()
        parts = [
            Part(
                name=name,
                pid=part.process.pid,
                started=start_ticks(part.process.pid),
                address=self._addresses[name],
                log=str(part.process.log_file.absolute()),
            )
            for name, part in self._started.items()
            if part.process.running
        ]
        record = StackRecord(
            supervisor=Part("tandem up", me, start_ticks(me), "", ""),
            parts=parts,
            gateway=self.gateway.target,
            catalog=self.retrieval.target,
            ready=self._ready,
        )
        write_record(self.settings.state, record)
