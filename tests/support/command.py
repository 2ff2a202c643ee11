"""The command `tandem`, run as people do."""

import asyncio
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_tandem(*arguments: object, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, whatever its status."""
    return subprocess.run(
        [sys.executable, "-m", "tandem_cli", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


async def tandem(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Do so while this loop goes on, with what runs in the tests' own process."""
    return await asyncio.to_thread(run_tandem, *arguments, timeout_s=60)
