"""What a measurement was made on: hardware, versions, commit. Numbers mean nothing without it."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = (
    "grpcio",
    "milvus-lite",
    "numpy",
    "openvino",
    "protobuf",
    "pymilvus",
    "tokenizers",
    "torch",
    "transformers",
)
# What decides on the speed of matrix products on x86-64.
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def describe() -> dict[str, Any]:
    """Return time, commit, hardware and versions, ready for JSON."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "hardware": _hardware(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "load_average": round(os.getloadavg()[0], 2),
    }


def write_result(name: str, result: Mapping[str, Any], directory: Path = RESULTS) -> Path:
    """Write `<name>.json`, say where, and return the file."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{name}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {file}")
    return file


def _commit() -> str:
    """Return the commit, with "+changes" where tracked files differ from it."""
    commit = _output("git", "rev-parse", "--short=12", "HEAD")
    changes = _output("git", "status", "--porcelain", "--untracked-files=no")
    return (commit or "unknown") + ("+changes" if changes else "")


def _hardware() -> dict[str, Any]:
    cpu = dict(_cpu_fields())
    flags = cpu.get("flags", "").split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    gpus = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    return {
        "cpu": cpu.get("model name", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "cpu_flags": [flag for flag in CPU_FLAGS if flag in flags],
        "memory_gib": round(memory / 2**30, 1),
        "gpus": gpus.splitlines(),
    }


def _cpu_fields() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, separator, value = line.partition(":")
        if separator:
            yield key.strip(), value.strip()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
