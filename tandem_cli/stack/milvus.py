"""Milvus Lite as a process of its own."""

import sys
from pathlib import Path

import grpc.aio
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

from tandem_cli.failure import CommandFailed
from tandem_cli.stack.ports import LOOPBACK, require_free
from tandem_cli.stack.process import ManagedProcess

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0


class MilvusLite:
    """`milvus-lite server` with one data directory, on one port of the loopback interface.

    A process of its own, because in-process Milvus Lite would share the interpreter lock and keep
    its directory from all others.
    """

    def __init__(self, data_dir: Path, port: int, log_file: Path) -> None:
        self.port = port
        self._data_dir = data_dir
        command = Path(sys.executable).with_name("milvus-lite")
        self._command = command
        self.process = ManagedProcess(
            "milvus-lite",
            [command, "server", "--data-dir", data_dir, "--host", LOOPBACK, "--port", str(port)],
            log_file=log_file,
        )

    @property
    def uri(self) -> str:
        """The address, as Milvus clients take it."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start the server and wait until it answers. Raises CommandFailed."""
        if not self._command.exists():
            raise CommandFailed(f"{self._command} is missing; install milvus-lite")
        require_free(self.port, "Milvus Lite")
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self.process.start()
        try:
            await self.process.wait_until_ready(
                lambda: milvus_answers(f"{LOOPBACK}:{self.port}"), START_TIMEOUT_S
            )
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the server. What was written stays in its directory."""
        await self.process.stop(STOP_TIMEOUT_S)


async def milvus_answers(target: str) -> bool:
    """Tell whether the Milvus at `host:port` lists its collections."""
    async with grpc.aio.insecure_channel(target) as channel:
        stub = milvus_pb2_grpc.MilvusServiceStub(channel)
        response = await stub.ShowCollections(milvus_pb2.ShowCollectionsRequest(), timeout=1.0)
        return bool(response.status.code == 0 and response.status.error_code == 0)
