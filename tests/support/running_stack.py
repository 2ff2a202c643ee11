"""The whole stack as its operator sees it: through the command and the network."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tandem_cli.stack.ports import free_ports
from tandem_cli.stack.record import StackRecord, read_record
from tandem_client import TandemClient
from tests.support.command import run_tandem

PORT_OPTIONS = (
    "--gateway-port",
    "--retrieval-port",
    "--ranking-port",
    "--triton-http-port",
    "--triton-grpc-port",
    "--triton-metrics-port",
    "--milvus-port",
)


def tandem(
    *arguments: object, timeout_s: float = 600, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command as people do; its exit status must be the expected one."""
    done = run_tandem(*arguments, timeout_s=timeout_s)
    assert done.returncode == status, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


@dataclass(frozen=True)
class RunningStack:
    """A stack on free ports, with its state in a directory of its own."""

    state: Path
    release: Path
    ports: tuple[int, ...]

    @classmethod
    def on_free_ports(cls, state: Path, release: Path) -> "RunningStack":
        """Choose ports; nothing is started yet."""
        return cls(state, release, tuple(free_ports(len(PORT_OPTIONS))))

    @classmethod
    def start(cls, state: Path, release: Path, *more: object) -> "RunningStack":
        """Start the stack in the background, with more options; it serves when this returns."""
        stack = cls.on_free_ports(state, release)
        options = ("--release", release, "--state", state, *stack.port_options, *more)
        tandem("up", *options, "--detach")
        return stack

    def stop(self) -> None:
        """Stop the stack."""
        tandem("down", "--state", self.state)

    @property
    def port_options(self) -> list[str]:
        return [
            part
            for option, port in zip(PORT_OPTIONS, self.ports, strict=True)
            for part in (option, str(port))
        ]

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.ports[0]}"

    @property
    def catalog(self) -> str:
        return f"127.0.0.1:{self.ports[1]}"

    @property
    def record(self) -> StackRecord:
        record = read_record(self.state)
        assert record is not None
        return record

    def client(self) -> TandemClient:
        return TandemClient(self.target, self.catalog)

    def pid(self, name: str) -> int:
        return next(part.pid for part in self.record.parts if part.name == name)


def copy_release(release: Path, directory: Path, release_id: str) -> Path:
    """Make a release of the same content under another id."""
    shutil.copytree(release, directory, copy_function=os.link)
    manifest = directory / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.unlink()
    manifest.write_text(json.dumps({**content, "release_id": release_id}))
    return directory
