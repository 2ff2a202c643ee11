"""The gateway as a process: started, killed, refused."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from tandem.v1 import event_pb2
from tandem.v1.event_pb2 import Event
from tandem_client import AsyncTandemClient, TandemClient
from tests.support.gateway import free_port

ROOT = Path(__file__).resolve().parents[2]


def environment(directory: Path, port: int, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT}/clients/python",
        "TANDEM_GATEWAY_PORT": str(port),
        "TANDEM_GATEWAY_DATABASE_URL": f"sqlite:///{directory}/users.db",
        "TANDEM_GATEWAY_LOG_LEVEL": "WARNING",
        **more,
    }


@contextmanager
def running_process(directory: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gateway_service"]
    with subprocess.Popen(
        command, env=environment(directory, port), cwd=directory, stderr=subprocess.DEVNULL
    ) as process:
        try:
            with TandemClient(f"127.0.0.1:{port}") as client:
                wait_until_up(client)
            yield process
        finally:
            process.kill()


def wait_until_up(client: TandemClient) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            client.get_info(timeout_s=1)
        except grpc.RpcError:
            assert time.monotonic() < until, "the gateway did not start"
            time.sleep(0.1)
        else:
            return


async def test_no_acknowledged_event_is_lost_when_the_gateway_is_killed(tmp_path: Path) -> None:
    port = free_port()
    acknowledged: set[str] = set()

    async def write(client: AsyncTandemClient, writer: int) -> None:
        for n in range(10_000):
            ids = [f"{writer}-{n}-{part}" for part in range(5)]
            events = [
                Event(event_id=i, user_id=f"user-{writer}", item_id=i, action=event_pb2.ACTION_VIEW)
                for i in ids
            ]
            try:
                await client.record_events(events, timeout_s=5)
            except grpc.RpcError:
                return
            acknowledged.update(ids)

    with running_process(tmp_path, port) as process:
        async with AsyncTandemClient(f"127.0.0.1:{port}") as client:
            writers = [asyncio.create_task(write(client, writer)) for writer in range(8)]
            await asyncio.sleep(1.0)
            process.send_signal(signal.SIGKILL)
            await asyncio.gather(*writers)
        process.wait()
    assert len(acknowledged) > 100

    with running_process(tmp_path, port):
        connection = sqlite3.connect(tmp_path / "users.db")
        stored = {row[0] for row in connection.execute("SELECT event_id FROM events")}
        connection.close()
    assert acknowledged <= stored
    # All events of a call were stored, or none.
    calls: dict[str, int] = {}
    for event_id in stored:
        call = event_id.rpartition("-")[0]
        calls[call] = calls.get(call, 0) + 1
    assert set(calls.values()) == {5}


def test_sigterm_ends_the_gateway_at_once_and_well(tmp_path: Path) -> None:
    with running_process(tmp_path, free_port()) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def failed_start(directory: Path, port: int, **more: str) -> str:
    """Return the one line with which a gateway that cannot start ends."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway_service"],
        env=environment(directory, port, **more),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    port = free_port()
    with running_process(tmp_path, port):
        line = failed_start(tmp_path, port)
    assert line == f"tandem gateway: cannot listen on 127.0.0.1:{port}: address already in use"


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("TANDEM_GATEWAY_PORT", "http", "must be a whole number, is 'http'"),
        ("TANDEM_GATEWAY_PORT", "70000", "must be from 0 to 65,535, is '70000'"),
        ("TANDEM_GATEWAY_REFLECTION", "maybe", "must be one of"),
        ("TANDEM_GATEWAY_DEFAULT_DEADLINE_S", "soon", "must be a number, is 'soon'"),
        ("TANDEM_GATEWAY_DEFAULT_DEADLINE_S", "nan", "must be from 0.01 to 86,400, is 'nan'"),
    ],
)
def test_a_bad_setting_is_one_clear_line(
    tmp_path: Path, variable: str, value: str, problem: str
) -> None:
    line = failed_start(tmp_path, free_port(), **{variable: value})
    assert line.startswith(f"{variable} {problem}")


@pytest.mark.parametrize("url", ["sqlite:////proc/nowhere/users.db", "nonsense://x", "sqlite:///."])
def test_a_database_that_cannot_be_opened_is_one_clear_line(tmp_path: Path, url: str) -> None:
    line = failed_start(tmp_path, free_port(), TANDEM_GATEWAY_DATABASE_URL=url)
    assert line.startswith("tandem gateway: the storage is unavailable: ")
