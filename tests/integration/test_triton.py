"""The real Triton as a process: it heals, it stops without a trace, it says why it cannot start."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import grpc.aio
import pytest

from serving.text_encoder import TextEncoder
from tandem_cli.failure import CommandFailed
from tandem_cli.stack.triton import SHARED_MEMORY, Triton
from tests.support.triton import prepared_encoder, running_triton, stub_of


async def test_a_triton_that_is_not_there_is_not_ready() -> None:
    client = TextEncoder("127.0.0.1:9")
    assert not await client.ready()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await client.encode(["text"], timeout=1.0)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    await client.close()


async def die_and_heal(server: Triton) -> None:
    client = TextEncoder(server.settings.target)
    assert not await server.heal()
    os.kill(stub_of(server, "text_encoder"), signal.SIGKILL)
    assert not await client.ready()
    assert await server.heal() == ["text_encoder"]
    assert await client.ready()
    assert not await server.heal()
    await client.close()


def test_an_encoder_whose_process_died_is_loaded_anew(tmp_path: Path) -> None:
    with running_triton(tmp_path) as server:
        asyncio.run(die_and_heal(server))
    assert members(server.process.pid) == []
    assert not regions(server)


def test_stopping_leaves_no_process_and_no_shared_memory(tmp_path: Path) -> None:
    with running_triton(tmp_path) as server:
        session = server.process.pid
        assert len(members(session)) >= 3  # the server and each model's Python backend
        assert regions(server)
        start = time.monotonic()
    assert time.monotonic() - start < 9.0
    assert members(session) == []
    assert not regions(server)


def test_an_encoder_that_cannot_be_loaded_is_one_line_that_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in ("encoder.json", "tokenizer.json"):
        (broken / file).write_bytes((prepared_encoder() / file).read_bytes())
    with (
        pytest.raises(
            CommandFailed, match=r"could not load text_encoder: .*broken: the network: "
        ) as error,
        running_triton(tmp_path, broken),
    ):
        pass
    assert "\n" not in str(error.value)


def regions(server: Triton) -> list[Path]:
    """Return the server's shared memory regions."""
    return list(SHARED_MEMORY.glob(f"tandem_triton_{server.settings.grpc_port}_*"))


def members(session: int) -> list[int]:
    """Return the live processes of a session."""
    pids = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state != "Z":
                pids.append(int(stat.parent.name))
    return pids
