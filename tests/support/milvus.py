"""Real Milvus servers for tests: Milvus Lite, and Milvus itself from its wheel."""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem_cli.stack.milvus import MilvusLite, milvus_answers
from tandem_cli.stack.ports import LOOPBACK, free_port, free_ports
from tandem_cli.stack.process import ManagedProcess

# The wheel unpacks its binaries for 15 s into each new data directory; here once and for all.
_UNPACKED = Path(__file__).parents[2] / "var" / "milvus-server" / "bin"
_PORTS = [
    "etcd", "root-coord", "proxy", "proxy-internal", "query-coord", "query-node", "index-coord",
    "index-node", "data-coord", "data-node",
]  # fmt: skip


@contextmanager
def running_milvus_lite(directory: Path) -> Iterator[MilvusLite]:
    """Run Milvus Lite on a free port. Not inside a loop."""
    server = MilvusLite(directory / "milvus", free_port(), directory / "milvus.log")
    asyncio.run(server.start())
    try:
        yield server
    finally:
        asyncio.run(server.stop())


@contextmanager
def running_milvus_server(directory: Path) -> Iterator[str]:
    """Run Milvus 2.3.5 on free ports, which takes about 20 s; yield its URI. Not inside a loop.

    All but its etcd listens on every interface: it has no setting for that.
    """
    data = directory / "milvus-server"
    data.mkdir(parents=True)
    _UNPACKED.mkdir(parents=True, exist_ok=True)
    (data / "bin").symlink_to(_UNPACKED)
    *numbers, etcd, peer = free_ports(len(_PORTS) + 2)
    ports = dict(zip(_PORTS, numbers, strict=True))
    etcd_config = data / "etcd.yaml"
    etcd_config.write_text(
        f"name: default\n"
        f"listen-client-urls: http://{LOOPBACK}:{etcd}\n"
        f"advertise-client-urls: http://{LOOPBACK}:{etcd}\n"
        f"listen-peer-urls: http://{LOOPBACK}:{peer}\n"
        f"initial-advertise-peer-urls: http://{LOOPBACK}:{peer}\n"
        f"initial-cluster: default=http://{LOOPBACK}:{peer}\n"
    )
    process = ManagedProcess(
        "milvus-server",
        [
            Path(sys.executable).with_name("milvus-server"),
            "--data",
            data,
            *(text for name, port in ports.items() for text in (f"--{name}-port", str(port))),
        ],
        log_file=directory / "milvus-server.log",
        env={"ETCD_CONFIG_PATH": str(etcd_config)},
    )
    target = f"{LOOPBACK}:{ports['proxy']}"
    process.start()
    try:
        asyncio.run(process.wait_until_ready(lambda: milvus_answers(target), 120.0))
        yield f"http://{target}"
    finally:
        asyncio.run(process.stop())
        shutil.rmtree(data, ignore_errors=True)
