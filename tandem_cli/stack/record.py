"""`stack.json` in a state directory: what a running stack consists of."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "stack.json"


@dataclass(frozen=True)
class Part:
    """A process. started: clock ticks after boot, which tell a pid from its later reuse."""

    name: str
    pid: int
    started: int
    address: str
    log: str

    def alive(self) -> bool:
        """Whether the very process still runs."""
        return start_ticks(self.pid) == self.started

    def memory_bytes(self) -> int:
        """Return the memory of the process and of those that it leads, 0 if it is gone.

        Memory that is shared counts in equal shares.
        """
        return sum(_memory_bytes(pid) for pid in _group(self.pid)) if self.alive() else 0


@dataclass(frozen=True)
class StackRecord:
    """A stack on this machine. parts: in the order of their start. ready: it serves."""

    supervisor: Part
    parts: list[Part]
    gateway: str
    catalog: str
    ready: bool = False

    def alive(self) -> list[Part]:
        """Return the processes that still run, the supervisor first."""
        return [part for part in (self.supervisor, *self.parts) if part.alive()]


def read_record(state: Path) -> StackRecord | None:
    """Return what the state directory tells of its stack, None if it never had one."""
    try:
        content = json.loads((state / FILE).read_text())
        return StackRecord(
            supervisor=Part(**content.pop("supervisor")),
            parts=[Part(**part) for part in content.pop("parts")],
            **content,
        )
    except FileNotFoundError:
        return None


def write_record(state: Path, record: StackRecord) -> None:
    """Replace the file as a whole."""
    draft = state / f".{FILE}.{os.getpid()}"
    draft.write_text(json.dumps(asdict(record), indent=1) + "\n")
    draft.replace(state / FILE)


def remove_record(state: Path) -> None:
    """Remove the file, if there is one."""
    (state / FILE).unlink(missing_ok=True)


def start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks after boot; -1 if it is gone or a zombie."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] != "Z" else -1


def _group(leader: int) -> list[int]:
    """Return the processes of a process group."""
    numbers = (int(directory.name) for directory in Path("/proc").glob("[0-9]*"))
    return [pid for pid in numbers if (fields := _stat(pid)) and int(fields[2]) == leader]


def _stat(pid: int) -> list[str]:
    """Return the fields of a process's stat file from its state on, none if it is gone."""
    try:
        # The name in brackets may hold spaces and brackets; what follows the last one does not.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _memory_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
