"""The memory of this process."""

import os
from pathlib import Path

NAMED = {"RssAnon:": "own", "RssFile:": "mapped"}


def memory_mib() -> dict[str, float]:
    """Return the memory of this process in MiB: its own, and that of mapped files at hand."""
    lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    parts = (line.split() for line in lines)
    return {NAMED[own[0]]: round(int(own[1]) / 1024, 1) for own in parts if own[0] in NAMED}
